import { timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { BodyTooLong, readBody, sendJson } from "../../../cli/http";
import { AwsError } from "../aws/awsError";
import { perform } from "../cognito/operations";
import type { Client } from "../cognito/pools";
import { attributeClaims, type TokenSet } from "../cognito/tokens";
import { single } from "./authorization";
import type { LoginContext } from "./context";
import { longestForm } from "./forms";

/** Cognito allows scripts of any page to call these endpoints. */
const anyOrigin = { "access-control-allow-origin": "*", "cache-control": "no-store", pragma: "no-cache" };
const preflight = {
  ...anyOrigin,
  "access-control-allow-methods": "GET, POST, OPTIONS",
  "access-control-allow-headers": "Authorization, Content-Type",
  "access-control-max-age": "1728000",
};

/** An error that an OAuth endpoint sends as JSON. */
class OAuthError extends Error {
  override readonly name = "OAuthError";

  /** @param code for example `invalid_grant` */
  constructor(
    readonly code: string,
    readonly status = 400,
    readonly description?: string,
  ) {
    super(code);
  }
}

/** Handles a request of an app, not of a person, to `/oauth2/…`. */
export async function callTokenEndpoint(
  context: LoginContext,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method === "OPTIONS") {
    response.writeHead(200, preflight).end();
    return;
  }
  try {
    const body = await call(context, path, request);
    if (body) sendJson(response, 200, body, anyOrigin);
    else response.writeHead(200, { ...anyOrigin, "content-length": 0 }).end();
  } catch (error) {
    const known = error instanceof BodyTooLong ? new OAuthError("invalid_request", 413) : error;
    if (!(known instanceof OAuthError)) throw error;
    const { code, status, description } = known;
    const words = description ? `, error_description="${description}"` : "";
    const challenge: Record<string, string> =
      status === 401 ? { "www-authenticate": `Bearer error="${code}"${words}` } : {};
    sendJson(response, status, { error: code, error_description: description }, { ...anyOrigin, ...challenge });
  }
}

/** @returns the body; undefined for an empty one. @throws OAuthError, BodyTooLong */
async function call(context: LoginContext, path: string, request: IncomingMessage): Promise<object | undefined> {
  const { headers, method } = request;
  if (path === "/oauth2/userInfo" && (method === "GET" || method === "POST")) return userInfo(context, headers);
  if (path !== "/oauth2/token" && path !== "/oauth2/revoke") throw new OAuthError("not_found", 404);
  if (method !== "POST") throw new OAuthError("invalid_request", 405);
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(headers["content-type"] ?? "")) {
    throw new OAuthError("invalid_request");
  }
  const form = new URLSearchParams((await readBody(request, longestForm)).toString());
  if (path === "/oauth2/token") return token(context, headers, form);
  await revoke(context, headers, form);
  return undefined;
}

/**
 * `POST /oauth2/token`: exchanges an authorization code or a refresh token for tokens.
 * @throws OAuthError
 * @see https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html
 */
function token(context: LoginContext, headers: IncomingHttpHeaders, form: URLSearchParams): object {
  const grantType = single(form, "grant_type");
  if (grantType === undefined) throw new OAuthError("invalid_request");
  const client = authenticatedClient(context, headers, form);
  if (!client.settings.oauth) throw new OAuthError("unauthorized_client");
  if (grantType === "authorization_code") return byCode(context, client, form);
  if (grantType === "refresh_token") return byRefreshToken(context, client, form);
  // Cognito supports client_credentials, but only for clients with that flow, and those are not simulated.
  throw new OAuthError(grantType === "client_credentials" ? "unauthorized_client" : "unsupported_grant_type");
}

function byCode({ cognito, codes }: LoginContext, client: Client, form: URLSearchParams): object {
  const code = single(form, "code");
  const redirectUri = single(form, "redirect_uri");
  if (code === undefined || redirectUri === undefined) throw new OAuthError("invalid_request");
  const grant = codes.redeem(code, client, redirectUri, single(form, "code_verifier"));
  const user = grant && client.pool.users.find(grant.username);
  if (!grant || !user?.enabled) {
    // RFC 6749, 4.1.2: if a code is used a second time, the session that it opened is ended.
    const opened = codes.openedBy(code);
    const session = opened?.pool.sessions.get(opened.sessionId);
    if (opened && session) cognito.tokens.revoke(opened.pool, session);
    throw new OAuthError("invalid_grant");
  }
  const { session, refreshToken } = cognito.tokens.open(client, user, grant.authTime, grant.scopes);
  codes.opened(code, client.pool, session.id);
  return answer(cognito.tokens.issue(client, user, session, grant.nonce), refreshToken);
}

function byRefreshToken({ cognito }: LoginContext, client: Client, form: URLSearchParams): object {
  const refreshToken = single(form, "refresh_token");
  if (refreshToken === undefined) throw new OAuthError("invalid_request");
  if (!client.settings.authFlows.has("ALLOW_REFRESH_TOKEN_AUTH")) throw new OAuthError("unauthorized_client");
  try {
    const { session, user } = cognito.tokens.refresh(client, refreshToken);
    return answer(cognito.tokens.issue(client, user, session));
  } catch (error) {
    throw error instanceof AwsError ? new OAuthError("invalid_grant") : error;
  }
}

/**
 * `GET /oauth2/userInfo`: the attributes that the token's scopes grant; every value is a string, as in Cognito.
 * @throws OAuthError
 * @see https://docs.aws.amazon.com/cognito/latest/developerguide/userinfo-endpoint.html
 */
function userInfo({ cognito }: LoginContext, headers: IncomingHttpHeaders): object {
  const [, bearer] = /^Bearer (\S+)$/i.exec(headers.authorization ?? "") ?? [];
  if (bearer === undefined)
    throw new OAuthError("invalid_request", 400, "The Authorization header needs a Bearer token.");
  try {
    const { claims, client, user } = cognito.tokens.access(cognito, bearer);
    const scopes = String(claims.scope).split(" ");
    if (!scopes.includes("openid"))
      throw new OAuthError("invalid_token", 401, "Access token does not contain openid scope");
    const attributes = Object.entries(attributeClaims(client, user, scopes)).map(([name, value]) => [
      name,
      String(value),
    ]);
    return { sub: user.attributes.sub, ...Object.fromEntries(attributes), username: user.username };
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    const description = "Access token is expired, disabled, or deleted, or the user has globally signed out.";
    throw new OAuthError("invalid_token", 401, description);
  }
}

/**
 * `POST /oauth2/revoke`: ends the session of a refresh token.
 * @throws OAuthError
 * @see https://docs.aws.amazon.com/cognito/latest/developerguide/revocation-endpoint.html
 */
async function revoke(context: LoginContext, headers: IncomingHttpHeaders, form: URLSearchParams): Promise<void> {
  const given = single(form, "token");
  if (given === undefined) throw new OAuthError("invalid_request");
  const client = authenticatedClient(context, headers, form);
  try {
    const input = { Token: given, ClientId: client.id, ClientSecret: client.secret };
    await perform(context.cognito, "RevokeToken", input, false);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    const unsupported = error.code === "UnsupportedTokenTypeException";
    throw new OAuthError(unsupported ? "unsupported_token_type" : "invalid_request");
  }
}

/** Authenticates a public client by its id alone, one with a secret by HTTP Basic or `client_secret` in the form. */
function authenticatedClient({ cognito }: LoginContext, headers: IncomingHttpHeaders, form: URLSearchParams): Client {
  const basic = basicCredentials(headers.authorization);
  const formId = single(form, "client_id");
  const id = basic?.id ?? formId;
  if (id === undefined) throw new OAuthError("invalid_request");
  const client = cognito.clients.get(id);
  const secret = basic?.secret ?? single(form, "client_secret") ?? "";
  const contradicts = basic && formId !== undefined && formId !== basic.id;
  if (!client?.pool.domain || contradicts || !equal(secret, client.secret ?? ""))
    throw new OAuthError("invalid_client");
  return client;
}

/** @see https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1 */
function basicCredentials(header: string | undefined): { id: string; secret: string } | undefined {
  const [, encoded] = /^Basic ([\w+/=]+)$/i.exec(header ?? "") ?? [];
  if (encoded === undefined) return undefined;
  const [id = "", secret = ""] = Buffer.from(encoded, "base64").toString("utf8").split(/:(.*)/s).map(formDecoded);
  return { id, secret };
}

function formDecoded(text: string): string {
  return new URLSearchParams(`x=${text.replaceAll("&", "%26")}`).get("x") ?? "";
}

function equal(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function answer({ accessToken, idToken, expiresIn }: TokenSet, refreshToken?: string): object {
  return {
    id_token: idToken,
    access_token: accessToken,
    refresh_token: refreshToken,
    expires_in: expiresIn,
    token_type: "Bearer",
  };
}
