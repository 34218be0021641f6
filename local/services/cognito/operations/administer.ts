import { attributePairs, checkAttributes } from "../attributes";
import { setPassword } from "../authenticate";
import { refusal, userNotFound } from "../errors";
import { attributeList, flag, type Input, optionalText, text } from "../input";
import { checkPassword, hashPassword, temporaryPassword } from "../passwords";
import type { Pool } from "../pools";
import type { CognitoState } from "../state";
import type { User } from "../users";
import { nameUser, newUser, refuseTaken } from "./signUp";

const dayInMs = 86_400_000;

/**
 * Creates a user with a temporary password, who must choose a new one at the first sign-in. No trigger runs, as on AWS.
 * @see https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminCreateUser.html
 */
export async function adminCreateUser(state: CognitoState, input: Input, pool: Pool): Promise<object> {
  const username = text(input, "Username");
  const action = optionalText(input, "MessageAction");
  if (action === "RESEND") {
    throw refusal("UnsupportedOperationException", "This machine does not simulate MessageAction RESEND.");
  }
  const named = nameUser(pool, username, attributeList(input, "UserAttributes"));
  checkAttributes(named.attributes, pool.settings, true);
  const password = optionalText(input, "TemporaryPassword") ?? temporaryPassword(pool.settings.passwords);
  checkPassword(password, pool.settings.passwords);
  const passwordHash = await hashPassword(password);
  refuseTaken(pool, username, named.username);
  const passwordGoodUntil = state.now() + pool.settings.passwords.temporaryPasswordValidityDays * dayInMs;
  const user = newUser(state, named, { status: "FORCE_CHANGE_PASSWORD", passwordHash, passwordGoodUntil });
  pool.users.save(user);
  if (action !== "SUPPRESS" && user.attributes.email !== undefined) invite(state, pool, user, username, password);
  return { User: userType(user) };
}

/** @see https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminGetUser.html */
export async function adminGetUser(_state: CognitoState, input: Input, pool: Pool): Promise<object> {
  const user = existing(input, pool);
  const { Attributes: _, ...rest } = userType(user);
  return { ...rest, UserAttributes: attributePairs(user) };
}

/** @see https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminDeleteUser.html */
export async function adminDeleteUser(_state: CognitoState, input: Input, pool: Pool): Promise<object> {
  pool.users.delete(existing(input, pool));
  return {};
}

/** @see https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminSetUserPassword.html */
export async function adminSetUserPassword(state: CognitoState, input: Input, pool: Pool): Promise<object> {
  const user = existing(input, pool);
  const password = text(input, "Password");
  checkPassword(password, pool.settings.passwords);
  const permanent = flag(input, "Permanent", false);
  const days = pool.settings.passwords.temporaryPasswordValidityDays;
  await setPassword(state, { pool }, user, password, {
    status: permanent ? "CONFIRMED" : "FORCE_CHANGE_PASSWORD",
    passwordGoodUntil: permanent ? undefined : state.now() + days * dayInMs,
  });
  return {};
}

/** @see https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminDisableUser.html */
export async function adminDisableUser(state: CognitoState, input: Input, pool: Pool): Promise<object> {
  pool.users.save({ ...existing(input, pool), enabled: false, modified: state.now() });
  return {};
}

/** @see https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminEnableUser.html */
export async function adminEnableUser(state: CognitoState, input: Input, pool: Pool): Promise<object> {
  pool.users.save({ ...existing(input, pool), enabled: true, modified: state.now() });
  return {};
}

/** Cognito's `UserType`; dates in seconds since 1970. */
export function userType(user: User, names?: readonly string[]) {
  return {
    Username: user.username,
    Attributes: attributePairs(user, names),
    UserCreateDate: user.created / 1000,
    UserLastModifiedDate: user.modified / 1000,
    Enabled: user.enabled,
    UserStatus: user.status,
  };
}

function invite(state: CognitoState, pool: Pool, user: User, username: string, password: string): void {
  const { subject, message } = pool.settings.invitation;
  const to = user.attributes.email!;
  const body = message.replaceAll("{username}", username).replaceAll("{####}", password);
  state.mailbox.put({ to, subject, body, code: password, at: new Date(state.now()).toISOString() });
  // The temporary password is in the mailbox only: passwords are not printed.
  state.info(`Mail to ${to}: ${subject}`);
}

function existing(input: Input, pool: Pool): User {
  const user = pool.users.find(text(input, "Username"));
  if (!user) throw userNotFound();
  return user;
}
