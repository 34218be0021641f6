import { randomUUID } from "node:crypto";
import { afterSignIn, callingClient, checkSignIn, setPassword } from "../authenticate";
import { invalidParameter, notAuthorized, refusal } from "../errors";
import { type Input, optionalText, text, textMap } from "../input";
import { checkPassword } from "../passwords";
import type { Client, Pool } from "../pools";
import { type CognitoState, findClient } from "../state";
import type { TokenSet } from "../tokens";
import type { User } from "../users";

/** Flow → the value that a client must list in `explicitAuthFlows`. */
const flows: Readonly<Record<string, string>> = {
  USER_PASSWORD_AUTH: "ALLOW_USER_PASSWORD_AUTH",
  REFRESH_TOKEN_AUTH: "ALLOW_REFRESH_TOKEN_AUTH",
  REFRESH_TOKEN: "ALLOW_REFRESH_TOKEN_AUTH",
  USER_SRP_AUTH: "ALLOW_USER_SRP_AUTH",
  CUSTOM_AUTH: "ALLOW_CUSTOM_AUTH",
  USER_AUTH: "ALLOW_USER_AUTH",
};
const adminFlows: Readonly<Record<string, string>> = {
  ...flows,
  ADMIN_USER_PASSWORD_AUTH: "ALLOW_ADMIN_USER_PASSWORD_AUTH",
  ADMIN_NO_SRP_AUTH: "ALLOW_ADMIN_USER_PASSWORD_AUTH",
};
const passwordFlows = ["USER_PASSWORD_AUTH", "ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"];

/** How long a challenge is valid: Cognito's default. */
const challengeInSeconds = 180;

/** @see https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_InitiateAuth.html */
export async function initiateAuth(state: CognitoState, input: Input): Promise<object> {
  return start(state, input, flows, findClient(state, text(input, "ClientId")));
}

/** @see https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminInitiateAuth.html */
export async function adminInitiateAuth(state: CognitoState, input: Input, pool: Pool): Promise<object> {
  return start(state, input, adminFlows, clientOfPool(state, input, pool));
}

/** @see https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_RespondToAuthChallenge.html */
export async function respondToAuthChallenge(state: CognitoState, input: Input): Promise<object> {
  return answerChallenge(state, input, findClient(state, text(input, "ClientId")));
}

/** @see https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminRespondToAuthChallenge.html */
export async function adminRespondToAuthChallenge(state: CognitoState, input: Input, pool: Pool): Promise<object> {
  return answerChallenge(state, input, clientOfPool(state, input, pool));
}

async function start(state: CognitoState, input: Input, known: typeof flows, client: Client): Promise<object> {
  const flow = text(input, "AuthFlow");
  const permission = known[flow];
  if (permission === undefined) {
    throw invalidParameter(`AuthFlow ${flow} is not one of ${Object.keys(known).join(", ")}`);
  }
  if (!client.settings.authFlows.has(permission)) {
    const name = flow.startsWith("ADMIN") ? "Auth" : flow;
    throw invalidParameter(`${name} flow not enabled for this client`);
  }
  const parameters = textMap(input, "AuthParameters");
  if (passwordFlows.includes(flow)) return byPassword(state, client, parameters);
  if (flow.startsWith("REFRESH")) return byRefreshToken(state, client, parameters);
  throw refusal(
    "UnsupportedOperationException",
    `This client allows ${flow}, but this machine does not simulate it: sign in with USER_PASSWORD_AUTH, or on the login pages.`,
  );
}

async function byPassword(state: CognitoState, { id }: Client, parameters: Input): Promise<object> {
  const username = parameter(parameters, "USERNAME");
  const client = callingClient(state, id, username, optionalText(parameters, "SECRET_HASH"));
  const user = await checkSignIn(state, client, username, parameter(parameters, "PASSWORD"));
  return user.status === "FORCE_CHANGE_PASSWORD"
    ? newPasswordChallenge(state, client, user)
    : finish(state, client, user);
}

async function byRefreshToken(state: CognitoState, { id }: Client, parameters: Input): Promise<object> {
  const client = findClient(state, id);
  const { session, user } = state.tokens.refresh(client, parameter(parameters, "REFRESH_TOKEN"));
  callingClient(state, id, user.username, optionalText(parameters, "SECRET_HASH"));
  return result(state.tokens.issue(client, user, session));
}

async function answerChallenge(state: CognitoState, input: Input, { id }: Client): Promise<object> {
  const challenge = text(input, "ChallengeName");
  if (challenge !== "NEW_PASSWORD_REQUIRED") {
    throw invalidParameter(
      `ChallengeName ${challenge} was not asked for; this machine asks for NEW_PASSWORD_REQUIRED only`,
    );
  }
  const answers = textMap(input, "ChallengeResponses");
  const client = callingClient(state, id, parameter(answers, "USERNAME"), optionalText(answers, "SECRET_HASH"));
  const user = challengedUser(state, client, text(input, "Session"));
  if (client.pool.users.find(parameter(answers, "USERNAME"))?.username !== user.username) throw invalidSession();
  return finish(state, client, await replaceTemporaryPassword(state, client, user, parameter(answers, "NEW_PASSWORD")));
}

/**
 * The user of a NEW_PASSWORD_REQUIRED session.
 * @throws NotAuthorizedException if the session is not valid, or the temporary password has been replaced
 */
export function challengedUser(state: CognitoState, client: Client, session: string): User {
  const claims = state.tokens.key.verify(session);
  const seconds = Math.floor(state.now() / 1000);
  if (claims?.token_use !== "challenge" || claims.client_id !== client.id) throw invalidSession();
  if (Number(claims.exp) <= seconds) throw notAuthorized("Invalid session for the user, session is expired.");
  const user = client.pool.users.find(String(claims.username));
  if (user?.status !== "FORCE_CHANGE_PASSWORD") throw invalidSession();
  return user;
}

/** @returns a session token that proves for three minutes that the person entered the temporary password */
export function challengeSession(state: CognitoState, client: Client, user: User): string {
  const exp = Math.floor(state.now() / 1000) + challengeInSeconds;
  return state.tokens.key.sign({
    token_use: "challenge",
    client_id: client.id,
    username: user.username,
    exp,
    jti: randomUUID(),
  });
}

/**
 * Sets the person's own password, which confirms the user.
 * @throws InvalidPasswordException where the pool's policy refuses it
 */
export async function replaceTemporaryPassword(
  state: CognitoState,
  client: Client,
  user: User,
  password: string,
): Promise<User> {
  checkPassword(password, client.pool.settings.passwords);
  return setPassword(state, client, user, password, { status: "CONFIRMED" });
}

function newPasswordChallenge(state: CognitoState, client: Client, user: User): object {
  const { sub: _, ...attributes } = user.attributes;
  return {
    ChallengeName: "NEW_PASSWORD_REQUIRED",
    Session: challengeSession(state, client, user),
    ChallengeParameters: {
      USER_ID_FOR_SRP: user.username,
      requiredAttributes: "[]",
      userAttributes: JSON.stringify(attributes),
    },
  };
}

async function finish(state: CognitoState, client: Client, user: User): Promise<object> {
  await afterSignIn(state, client, user);
  const { session, refreshToken } = state.tokens.open(client, user, Math.floor(state.now() / 1000));
  return result(state.tokens.issue(client, user, session), refreshToken);
}

function result({ accessToken, idToken, expiresIn }: TokenSet, refreshToken?: string): object {
  return {
    ChallengeParameters: {},
    AuthenticationResult: {
      AccessToken: accessToken,
      IdToken: idToken,
      RefreshToken: refreshToken,
      ExpiresIn: expiresIn,
      TokenType: "Bearer",
    },
  };
}

function clientOfPool(state: CognitoState, input: Input, pool: Pool): Client {
  const client = findClient(state, text(input, "ClientId"));
  if (client.pool !== pool) {
    throw refusal("ResourceNotFoundException", `User pool client ${client.id} does not exist.`);
  }
  return client;
}

function parameter(parameters: Input, name: string): string {
  const value = optionalText(parameters, name);
  if (value === undefined || value === "") throw invalidParameter(`Missing required parameter ${name}`);
  return value;
}

function invalidSession() {
  return notAuthorized("Invalid session for the user.");
}
