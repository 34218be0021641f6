import {
  type CognitoIdentityProviderClient,
  ListUsersCommand,
  type ListUsersCommandOutput,
  type UserType,
} from "@aws-sdk/client-cognito-identity-provider";
import { CommandError } from "../../cli/commandError";

/** An account of the user pool. */
export interface Account {
  readonly username: string;
  /** For example `CONFIRMED`. */
  readonly status: string;
  /** `sub`, `email`, and what else the person gave. */
  readonly attributes: Readonly<Record<string, string>>;
}

/**
 * The states of accounts that need no row: the sign-up is not confirmed yet, or an administrator created the account
 * and its person has not signed in yet. Every other state follows a confirmation (`RESET_REQUIRED` included), or the
 * first sign-in with an identity provider. A disabled account was confirmed too.
 * {@link https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UserType.html}
 */
const NOT_CONFIRMED: readonly string[] = ["UNCONFIRMED", "FORCE_CHANGE_PASSWORD"];

/** Whether the account's person should have a row. */
export function isConfirmed({ status }: Pick<Account, "status">): boolean {
  return !NOT_CONFIRMED.includes(status);
}

/** The list of accounts ended too early; an unknown number of accounts is missing. */
class ListingBroken extends CommandError {
  override readonly name = "ListingBroken";

  constructor() {
    super(
      "Cognito's response to ListUsers has no list of users; a proxy may have cut it off. So not all accounts were seen. " +
        "Run it again; if that does not help, look at the proxy between this machine and AWS.",
    );
  }
}

/**
 * The accounts of one user pool. It uses only `cognito-idp:ListUsers`, whose quota is by default 30 requests a second
 * for all callers of an AWS account; sign-up and sign-in have quotas of their own.
 * {@link https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html}
 */
export class Accounts {
  readonly #client: CognitoIdentityProviderClient;
  readonly #userPoolId: string;

  constructor(client: CognitoIdentityProviderClient, userPoolId: string) {
    this.#client = client;
    this.#userPoolId = userPoolId;
  }

  /**
   * Every account, up to 60 a page; a page may be empty.
   *
   * Without a filter, since a filter selects a single state, and an account that changes its state between two listings
   * would be in neither. Without `AttributesToGet`, since it fails where one account lacks an attribute.
   * {@link https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ListUsers.html}
   * @throws ListingBroken, the SDK's errors, and the SDK's AbortError after the signal
   */
  async *pages(signal: AbortSignal): AsyncGenerator<readonly Account[]> {
    let PaginationToken: string | undefined;
    do {
      const command = new ListUsersCommand({ UserPoolId: this.#userPoolId, PaginationToken });
      const page: ListUsersCommandOutput = await this.#client.send(command, { abortSignal: signal });
      yield accountsOf(page);
      PaginationToken = page.PaginationToken;
    } while (PaginationToken !== undefined);
  }

  /**
   * The account with this `sub`, or undefined where none exists (any more).
   * @param sub a UUID
   * @throws as `pages`
   */
  async find(sub: string, signal: AbortSignal): Promise<Account | undefined> {
    const command = new ListUsersCommand({ UserPoolId: this.#userPoolId, Filter: `sub = "${sub}"` });
    return accountsOf(await this.#client.send(command, { abortSignal: signal }))[0];
  }
}

/** @throws ListingBroken: the SDK parses a response without a body as one without fields, like an empty last page */
function accountsOf({ Users }: ListUsersCommandOutput): Account[] {
  if (Users === undefined) {
    throw new ListingBroken();
  }
  return Users.map(accountOf);
}

function accountOf({ Username = "", UserStatus, Attributes = [] }: UserType): Account {
  const attributes: Record<string, string> = {};
  for (const { Name, Value } of Attributes) {
    if (Name !== undefined && Value !== undefined) {
      attributes[Name] = Value;
    }
  }
  return { username: Username, status: UserStatus ?? "", attributes };
}
