import { Readable } from "node:stream";
import { EmailConflict } from "../../functions/registerUser/errors";
import { RegistrationError } from "../../functions/shared/errors";
import { traceOf, type User, userOf } from "../../functions/shared/event";
import { type Account, type Accounts, isConfirmed } from "./cognitoAccounts";
import type { Owner, Rows } from "./rows";

/** The number of pages that are fetched ahead during the database's work: the most that is held in memory. */
const PAGES_AHEAD = 4;

/** The counts so far. `accounts` is the sum of the others. */
export interface Tally {
  accounts: number;
  /** Not confirmed yet, so no row is needed. */
  unconfirmed: number;
  /** Had a row already. */
  present: number;
  /** Had no row, and were registered; in a dry run, would be. */
  registered: number;
  conflicts: number;
  unusable: number;
}

/** Another user's row has the address. */
export interface Conflict {
  readonly type: "conflict";
  readonly user: User;
  /** Undefined where that row was deleted in the meantime. */
  readonly owner:
    | (Owner & {
        /** The owner's account in Cognito: it is deleted, or has this or another address today. */
        readonly account: "deleted" | "sameAddress" | "otherAddress";
      })
    | undefined;
}

/** No row can be created from the account's attributes. */
export interface Unusable {
  readonly type: "unusable";
  readonly username: string;
  /** Names the attribute and what is allowed; never the value. */
  readonly fault: RegistrationError;
}

/** A result about one account that is reported to the person who runs the command. */
export type Finding = { readonly type: "registered"; readonly sub: string } | Conflict | Unusable;

export interface Options {
  readonly accounts: Pick<Accounts, "pages" | "find">;
  readonly rows: Pick<Rows, "registered" | "ownerOf" | "register" | "foresee">;
  /** Change nothing. Two users without a row who have the same address are then both counted as `registered`. */
  readonly dryRun: boolean;
  /** Updated during the run. */
  readonly tally: Tally;
  /** Stops between two users. */
  readonly signal: AbortSignal;
  /** Called with each finding at once; none is kept. */
  found(finding: Finding): void;
}

export function newTally(): Tally {
  return { accounts: 0, unconfirmed: 0, present: 0, registered: 0, conflicts: 0, unusable: 0 };
}

/**
 * Registers every confirmed account that has no row, with the registration function's own rules. It only adds rows,
 * each as the function does, so it can run during live traffic, and can be stopped and repeated at any time.
 * @param options with a tally of zeros
 * @throws ListingBroken, the SDK's errors, the RegistrationErrors of the database, AbortError after the signal
 */
export async function reconcile(options: Options): Promise<void> {
  const { accounts, signal, tally } = options;
  let listed = 0;
  async function* counted(pages: AsyncIterable<readonly Account[]>) {
    for await (const page of pages) {
      listed += page.length;
      yield page;
    }
  }
  const pages = Readable.from(counted(accounts.pages(signal)), { highWaterMark: PAGES_AHEAD });
  for await (const page of pages) {
    await reconcilePage(page, options);
  }
  // Accounts are counted when they are listed and again when they are done: both numbers must be equal.
  const { accounts: seen, ...outcomes } = tally;
  const dealtWith = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
  if (seen !== listed || dealtWith !== listed) {
    throw new Error(`Cognito listed ${listed} accounts, but ${dealtWith} were dealt with: ${JSON.stringify(tally)}`);
  }
}

async function reconcilePage(page: readonly Account[], options: Options): Promise<void> {
  const { rows, tally, signal } = options;
  const confirmed = page.filter(isConfirmed).map((account) => ({ account, sub: traceOf(eventOf(account)).sub }));
  tally.accounts += page.length - confirmed.length;
  tally.unconfirmed += page.length - confirmed.length;

  const subs = confirmed.flatMap(({ sub }) => sub?.toLowerCase() ?? []);
  const registered = await rows.registered(subs);
  for (const { account, sub } of confirmed) {
    signal.throwIfAborted();
    const outcome = sub && registered.has(sub.toLowerCase()) ? "present" : await repair(account, options);
    tally.accounts++;
    tally[outcome]++;
  }
}

/** Registers an account without a row, or reports why it cannot. @returns the count that the account belongs to */
async function repair(
  account: Account,
  options: Options,
): Promise<"present" | "registered" | "conflicts" | "unusable"> {
  const { rows, dryRun, found } = options;
  let user: User;
  try {
    user = userOf(eventOf(account));
  } catch (fault) {
    if (!(fault instanceof RegistrationError)) {
      throw fault;
    }
    found({ type: "unusable", username: account.username, fault });
    return "unusable";
  }
  try {
    const missing = await (dryRun ? rows.foresee(user) : rows.register(user));
    if (!missing) {
      return "present";
    }
  } catch (error) {
    if (!(error instanceof EmailConflict)) {
      throw error;
    }
    found(await conflictOf(user, options));
    return "conflicts";
  }
  found({ type: "registered", sub: user.sub });
  return "registered";
}

/** The information that a person needs to decide which user keeps the address. */
async function conflictOf(user: User, { accounts, rows, signal }: Options): Promise<Conflict> {
  const owner = await rows.ownerOf(user.email);
  if (owner === undefined) {
    return { type: "conflict", user, owner };
  }
  const account = await accounts.find(owner.sub, signal);
  const same = account?.attributes.email?.toLowerCase() === owner.email.toLowerCase();
  const state = account === undefined ? "deleted" : same ? "sameAddress" : "otherAddress";
  return { type: "conflict", user, owner: { ...owner, account: state } };
}

/** The account in the form of a trigger's event, so that the function's own rules check it. */
function eventOf({ attributes }: Account): { request: { userAttributes: Account["attributes"] } } {
  return { request: { userAttributes: attributes } };
}
