import { attributePairs } from "../attributes";
import { invalidParameter, notAuthorized, refusal } from "../errors";
import { type Input, optionalText, text } from "../input";
import { type CognitoState, findClient } from "../state";
import { adminScope } from "../tokens";

/** @see https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_GetUser.html */
export async function getUser(state: CognitoState, input: Input): Promise<object> {
  const { user } = signedIn(state, input);
  return { Username: user.username, UserAttributes: attributePairs(user) };
}

/** @see https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_DeleteUser.html */
export async function deleteUser(state: CognitoState, input: Input): Promise<object> {
  const { client, user } = signedIn(state, input);
  client.pool.users.delete(user);
  return {};
}

/** @see https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_GlobalSignOut.html */
export async function globalSignOut(state: CognitoState, input: Input): Promise<object> {
  const { client, user } = signedIn(state, input);
  for (const session of client.pool.sessions.values()) {
    if (session.username === user.username && !session.revoked) state.tokens.revoke(client.pool, session);
  }
  return {};
}

/** @see https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_RevokeToken.html */
export async function revokeToken(state: CognitoState, input: Input): Promise<object> {
  const token = text(input, "Token");
  const client = findClient(state, text(input, "ClientId"));
  if (client.secret !== undefined && optionalText(input, "ClientSecret") !== client.secret) {
    throw notAuthorized("Client is unauthorized");
  }
  if (!client.settings.revocation) throw invalidParameter("Token revocation is not enabled for this client");
  if (state.tokens.key.verify(token)) {
    throw refusal("UnsupportedTokenTypeException", "Unsupported token type: only refresh tokens can be revoked.");
  }
  const session = client.pool.sessions.get(token.split(".")[0]!);
  // An unknown token gets the same answer as one that is revoked now.
  if (session?.clientId === client.id) state.tokens.revoke(client.pool, session);
  return {};
}

/**
 * The user and the client of a call's access token.
 * @throws NotAuthorizedException if the token is not valid, or lacks the scope for the user's own account
 */
export function signedIn(state: CognitoState, input: Input) {
  const access = state.tokens.access(state, text(input, "AccessToken"));
  if (!String(access.claims.scope).split(" ").includes(adminScope)) {
    throw notAuthorized("Access Token does not have required scopes");
  }
  return access;
}
