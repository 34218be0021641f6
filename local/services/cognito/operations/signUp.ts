import { randomUUID } from "node:crypto";
import { checkAttributes, isEmail } from "../attributes";
import { clientOf } from "../authenticate";
import { checkCode, deliveryDetails, expiredCode, sendCode } from "../codes";
import { invalidParameter, notAuthorized, refusal, unknownToClient, userNotFound } from "../errors";
import { attributeList, type Input, text, textMap } from "../input";
import { checkPassword, hashPassword } from "../passwords";
import type { Pool } from "../pools";
import type { CognitoState } from "../state";
import { noClient, runTrigger } from "../triggers";
import type { User } from "../users";

/** @see https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_SignUp.html */
export async function signUp(state: CognitoState, input: Input): Promise<object> {
  const username = text(input, "Username");
  const { pool } = clientOf(state, input, username);
  if (pool.settings.adminCreateOnly) throw notAuthorized("SignUp is not permitted for this user pool");
  const password = text(input, "Password");
  const given = attributeList(input, "UserAttributes");
  const named = nameUser(pool, username, given);
  checkAttributes(named.attributes, pool.settings);
  checkPassword(password, pool.settings.passwords);
  const passwordHash = await hashPassword(password);
  // Checked with no await before the save, so that two sign-ups with one address at the same time create one user.
  refuseTaken(pool, username, named.username);
  const user = newUser(state, named, { status: "UNCONFIRMED", passwordHash });
  pool.users.save(user);
  const mailed = pool.settings.autoVerified.includes("email") && user.attributes.email !== undefined;
  const delivery = mailed ? sendCode(state, pool, user, "signUp") : {};
  return { UserConfirmed: false, UserSub: user.attributes.sub, ...delivery };
}

/** @see https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ConfirmSignUp.html */
export async function confirmSignUp(state: CognitoState, input: Input): Promise<object> {
  const username = text(input, "Username");
  const client = clientOf(state, input, username);
  const { pool, settings } = client;
  const code = text(input, "ConfirmationCode");
  const user = pool.users.find(username);
  if (!user) throw settings.hidesUserExistence ? expiredCode() : unknownToClient();
  if (user.status !== "UNCONFIRMED") {
    throw notAuthorized(`User cannot be confirmed. Current status is ${user.status}`);
  }
  checkCode(state, pool, user, "signUp", code);
  await confirm(state, pool, user, client.id, textMap(input, "ClientMetadata"), { email_verified: "true" });
  return {};
}

/**
 * Confirms a user without a code; the address stays unverified.
 * @see https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminConfirmSignUp.html
 */
export async function adminConfirmSignUp(state: CognitoState, input: Input, pool: Pool): Promise<object> {
  const user = pool.users.find(text(input, "Username"));
  if (!user) throw userNotFound();
  if (user.status !== "UNCONFIRMED") {
    throw notAuthorized(`User cannot be confirmed. Current status is ${user.status}`);
  }
  await confirm(state, pool, user, noClient, textMap(input, "ClientMetadata"), {});
  return {};
}

/** @see https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ResendConfirmationCode.html */
export async function resendConfirmationCode(state: CognitoState, input: Input): Promise<object> {
  const username = text(input, "Username");
  const { pool, settings } = clientOf(state, input, username);
  const user = pool.users.find(username);
  if (!user) {
    if (settings.hidesUserExistence) return deliveryDetails(username);
    throw unknownToClient();
  }
  if (user.status !== "UNCONFIRMED") throw invalidParameter("User is already confirmed.");
  if (!pool.settings.autoVerified.includes("email") || user.attributes.email === undefined) {
    throw notAuthorized("Cannot resend codes. Auto verification not turned on.");
  }
  return sendCode(state, pool, user, "signUp");
}

/** Saves the user as CONFIRMED, then calls the function. A failed call is not repeated, and the user stays CONFIRMED. */
async function confirm(
  state: CognitoState,
  pool: Pool,
  user: User,
  clientId: string,
  clientMetadata: Record<string, string>,
  attributes: Record<string, string>,
): Promise<void> {
  const confirmed: User = {
    ...user,
    attributes: { ...user.attributes, ...attributes },
    status: "CONFIRMED",
    code: undefined,
    modified: state.now(),
  };
  pool.users.save(confirmed);
  const metadata = Object.keys(clientMetadata).length > 0 ? { clientMetadata } : {};
  await runTrigger(state, pool, "PostConfirmation_ConfirmSignUp", confirmed, clientId, metadata);
}

export interface NamedUser {
  readonly username: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** If people sign in with their address, it becomes the attribute `email`, and the user name is a new UUID. */
export function nameUser(pool: Pool, username: string, attributes: Record<string, string>): NamedUser {
  if (!pool.settings.usernameAttributes.includes("email")) return { username, attributes };
  if (!isEmail(username)) throw invalidParameter("Username should be an email.");
  if (attributes.email !== undefined && attributes.email !== username) {
    throw invalidParameter("Value of username should be the same as the email attribute.");
  }
  return { username: randomUUID(), attributes: { ...attributes, email: username } };
}

/** @throws UsernameExistsException */
export function refuseTaken(pool: Pool, ...names: string[]): void {
  if (names.some((name) => pool.users.find(name))) {
    throw refusal("UsernameExistsException", "User already exists");
  }
}

/** A user who is not saved yet: enabled, with a `sub`, and unverified unless the attributes say otherwise. */
export function newUser(state: CognitoState, named: NamedUser, initial: Pick<User, "status"> & Partial<User>): User {
  const sub = /^[0-9a-f-]{36}$/.test(named.username) ? named.username : randomUUID();
  const unverified: Record<string, string> = named.attributes.email === undefined ? {} : { email_verified: "false" };
  const attributes = { sub, ...unverified, ...named.attributes };
  return {
    username: named.username,
    enabled: true,
    created: state.now(),
    modified: state.now(),
    ...initial,
    attributes,
  };
}
