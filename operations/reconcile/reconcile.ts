import { Readable } from "node:stream";
import { EmailConflict } from "../../functions/registerUser/errors";
import { RegistrationError } from "../../functions/shared/errors";
import { traceOf, type User, userOf } from "../../functions/shared/event";
import { type Account, type Accounts, isConfirmed } from "./accounts";
import type { Owner, Rows } from "./rows";

/** So many pages are fetched ahead while the database answers: all that is ever held in memory. */
const PAGES_AHEAD = 4;

/** What was counted so far. `accounts` is the sum of the others. */
export interface Tally {
  accounts: number;
  /** Not confirmed yet, so no row is owed. */
  unconfirmed: number;
  /** Had a row already. */
  present: number;
  /** Had none, and were registered; in a dry run, would be. */
  registered: number;
  conflicts: number;
  unusable: number;
}

/** The address belongs to somebody else's row. */
export interface Conflict {
  readonly type: "conflict";
  readonly user: User;
  /** Undefined where that row went away meanwhile. */
  readonly owner:
    | (Owner & {
        /** What Cognito says of the owner: the account is deleted, or has this or another address today. */
        readonly account: "deleted" | "sameAddress" | "otherAddress";
      })
    | undefined;
}

/** The account's own attributes do not make a row. */
export interface Unusable {
  readonly type: "unusable";
  readonly username: string;
  /** Says which attribute, and what is allowed; never the value. */
  readonly fault: RegistrationError;
}

/** Something of one account that the person who runs this may want to know. */
export type Finding = { readonly type: "registered"; readonly sub: string } | Conflict | Unusable;

export interface Options {
  readonly accounts: Pick<Accounts, "pages" | "find">;
  readonly rows: Pick<Rows, "registered" | "ownerOf" | "register" | "foresee">;
  /** Change nothing. Two people without a row who share an address are then both counted as `registered`. */
  readonly dryRun: boolean;
  /** Counted up while this runs. */
  readonly tally: Tally;
  /** Stops between two users. */
  readonly signal: AbortSignal;
  /** Told of each finding as it is made; none is kept. */
  found(finding: Finding): void;
}

export function newTally(): Tally {
  return { accounts: 0, unconfirmed: 0, present: 0, registered: 0, conflicts: 0, unusable: 0 };
}

/**
 * Registers every confirmed account that has no row, by the function's own rules. It only ever adds rows, each as the
 * function does, so it may run beside live traffic, be stopped and be repeated at any time.
 * @param options whose tally is all zeros
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
  // Counted where accounts come in and where they were dealt with: nobody may go missing in between.
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

/** Does what an account without a row needs. */
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

/** What a person has to know to decide who keeps the address. */
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

/** The account as a trigger's event would carry it, so that the function's own rules judge it. */
function eventOf({ attributes }: Account): { request: { userAttributes: Account["attributes"] } } {
  return { request: { userAttributes: attributes } };
}
