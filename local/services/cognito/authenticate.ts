import { createHmac } from "node:crypto";
import { notAuthorized, refusal, userNotFound } from "./errors";
import { type Input, optionalText, text } from "./input";
import { hashPassword, passwordMatches } from "./passwords";
import type { Client } from "./pools";
import { type CognitoState, findClient } from "./state";
import { runTrigger } from "./triggers";
import type { User } from "./users";

/** After five wrong passwords Cognito locks the user for a second, then twice as long each time, up to 15 minutes. */
const freeFailures = 5;
const longestLockInMs = 15 * 60_000;

/**
 * Checks a password. Runs no trigger.
 * @returns the user, who must first set a new password if the status is FORCE_CHANGE_PASSWORD.
 * @throws NotAuthorizedException, UserNotFoundException (if the client reveals that), UserNotConfirmedException
 */
export async function checkSignIn(
  state: CognitoState,
  client: Client,
  username: string,
  password: string,
): Promise<User> {
  const { pool, settings } = client;
  const found = pool.users.find(username);
  const failureKey = `${pool.id}/${found?.username ?? username.toLowerCase()}`;
  if ((state.failures.get(failureKey)?.lockedUntil ?? 0) > state.now())
    throw notAuthorized("Password attempts exceeded");
  const matches = await passwordMatches(password, found?.passwordHash);
  const user = pool.users.find(username);
  if (!user || !matches) {
    if (!user && !settings.hidesUserExistence) throw userNotFound();
    countFailure(state, failureKey);
    throw notAuthorized("Incorrect username or password.");
  }
  state.failures.delete(failureKey);
  if (!user.enabled) throw notAuthorized("User is disabled.");
  if (user.status === "UNCONFIRMED") throw refusal("UserNotConfirmedException", "User is not confirmed.");
  if (user.passwordGoodUntil !== undefined && user.passwordGoodUntil <= state.now()) {
    throw notAuthorized("Temporary password has expired and must be reset by an administrator.");
  }
  return user;
}

/** Runs the trigger after a correct password and before tokens are issued: if it fails, the sign-in fails. */
export function afterSignIn(state: CognitoState, client: Client, user: User): Promise<void> {
  return runTrigger(state, client.pool, "PostAuthentication_Authentication", user, client.id, {
    newDeviceUsed: false,
  });
}

/** @param changes further changes of the user, saved together with the new password */
export async function setPassword(
  state: CognitoState,
  client: Pick<Client, "pool">,
  user: User,
  password: string,
  changes: Partial<User>,
): Promise<User> {
  const passwordHash = await hashPassword(password);
  const current = client.pool.users.find(user.username);
  if (!current) throw userNotFound();
  const changed: User = { ...current, passwordGoodUntil: undefined, ...changes, passwordHash, modified: state.now() };
  client.pool.users.save(changed);
  state.failures.delete(`${client.pool.id}/${user.username}`);
  return changed;
}

/**
 * Finds the client that a call names, and checks the secret hash if the client has a secret.
 * @throws ResourceNotFoundException, NotAuthorizedException
 * @see https://docs.aws.amazon.com/cognito/latest/developerguide/signing-up-users-in-your-app.html#cognito-user-pools-computing-secret-hash
 */
export function callingClient(state: CognitoState, clientId: string, username: string, secretHash?: string): Client {
  const client = findClient(state, clientId);
  if (client.secret === undefined) {
    if (secretHash === undefined) return client;
    throw notAuthorized(`Client ${clientId} is not configured with secret but secret was received`);
  }
  if (secretHash === undefined) {
    throw notAuthorized(`Client ${clientId} is configured with secret but SECRET_HASH was not received`);
  }
  if (secretHash !== secretHashOf(client, username))
    throw notAuthorized(`Unable to verify secret hash for client ${clientId}`);
  return client;
}

/** Finds the client of an operation's `ClientId`, and checks its `SecretHash`. @throws as `callingClient` */
export function clientOf(state: CognitoState, input: Input, username: string): Client {
  return callingClient(state, text(input, "ClientId"), username, optionalText(input, "SecretHash"));
}

/** The hash by which a caller proves that it has the client's secret; undefined for a client without one. */
export function secretHashOf({ id, secret }: Client, username: string): string | undefined {
  return secret && createHmac("sha256", secret).update(`${username}${id}`).digest("base64");
}

function countFailure(state: CognitoState, key: string): void {
  const count = (state.failures.get(key)?.count ?? 0) + 1;
  const lock = count < freeFailures ? 0 : Math.min(1000 * 2 ** (count - freeFailures), longestLockInMs);
  // Attempts with many unknown user names must not fill the memory.
  if (state.failures.size > 10_000) state.failures.clear();
  state.failures.set(key, { count, lockedUntil: state.now() + lock });
}
