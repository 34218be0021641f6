import type { OAuthSettings } from "../cognito/clientSettings";
import type { Client } from "../cognito/pools";
import type { CognitoState } from "../cognito/state";
import { ErrorPage, Redirect } from "./replies";

/** An authorization request that the deployed client allows. */
export interface Authorization {
  readonly client: Client & { readonly settings: { readonly oauth: OAuthSettings } };
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly state?: string;
  readonly nonce?: string;
  /** PKCE, method S256. */
  readonly codeChallenge?: string;
  readonly prompt?: string;
  readonly loginHint?: string;
  /** The request's parameters as a query string, which each page passes to the next. */
  readonly query: string;
}

/** The reply to an authorization request that the client does not allow. */
export type Refused = ErrorPage | Redirect;

/** Whether {@link readAuthorization} refused the request. */
export const isRefusedRequest = (found: Authorization | Refused): found is Refused =>
  found instanceof ErrorPage || found instanceof Redirect;

const parameters = [
  "client_id",
  "redirect_uri",
  "response_type",
  "scope",
  "state",
  "nonce",
  "code_challenge",
  "code_challenge_method",
  "prompt",
  "login_hint",
] as const;

/**
 * Reads the parameters of `/oauth2/authorize`, which every page carries along.
 * @returns an ErrorPage if the client or the redirect URL is not registered, since the browser may not be sent there; a
 *   Redirect to the registered URL with `error=` for every other error
 * @see https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html
 */
export function readAuthorization(cognito: CognitoState, search: URLSearchParams): Authorization | Refused {
  const client = availableClient(cognito, single(search, "client_id"));
  if (client instanceof ErrorPage) return client;
  const { oauth } = client.settings;
  const redirectUri = single(search, "redirect_uri") ?? oauth.defaultRedirectUri;
  if (redirectUri === undefined) return new ErrorPage(400, "Something went wrong", "Missing parameter: redirect_uri.");
  if (!oauth.callbackUrls.includes(redirectUri)) {
    return new ErrorPage(
      400,
      "Something went wrong",
      "redirect_mismatch: redirect_uri is not a callback URL of this app.",
    );
  }
  const state = search.get("state") ?? undefined;
  const fail = (error: string, description: string) =>
    new Redirect(withParameters(redirectUri, { error, error_description: description, state }));

  const repeated = parameters.find((name) => search.getAll(name).length > 1);
  if (repeated) return fail("invalid_request", `${repeated} is given more than once`);
  const get = (name: (typeof parameters)[number]) => search.get(name) ?? undefined;
  const responseType = get("response_type");
  if (responseType === "token") return fail("unauthorized_client", "the client may not use the implicit flow");
  if (responseType !== "code") return fail("invalid_request", "response_type must be code");
  const codeChallenge = get("code_challenge");
  const method = get("code_challenge_method");
  if ((codeChallenge === undefined) !== (method === undefined) || (method !== undefined && method !== "S256")) {
    return fail("invalid_request", "code_challenge needs code_challenge_method S256");
  }
  if (codeChallenge !== undefined && !/^[\w-]{43}$/.test(codeChallenge)) {
    return fail("invalid_request", "code_challenge must be the base64url of a SHA-256 hash");
  }
  const scopes = grantedScopes(get("scope"), oauth);
  if (!scopes) return fail("invalid_scope", `allowed: ${oauth.scopes.join(" ")}`);
  const query = new URLSearchParams();
  for (const name of parameters) for (const value of search.getAll(name)) query.append(name, value);
  query.set("redirect_uri", redirectUri);
  return {
    client,
    redirectUri,
    scopes,
    state,
    nonce: get("nonce"),
    codeChallenge,
    prompt: get("prompt"),
    loginHint: get("login_hint"),
    query: query.toString(),
  };
}

/**
 * The client, if it has pages: the pool has a domain with managed login, the client has a branding and OAuth.
 */
export function availableClient(
  cognito: CognitoState,
  clientId: string | undefined,
): Authorization["client"] | ErrorPage {
  const client = clientId === undefined ? undefined : cognito.clients.get(clientId);
  const domain = client?.pool.domain;
  if (!client || !domain) return new ErrorPage(400, "Something went wrong", "The client does not exist.");
  if (!client.settings.oauth) {
    return new ErrorPage(400, "Something went wrong", "unauthorized_client: this app client does not use these pages.");
  }
  if (domain.managedLoginVersion !== 2 || !client.branded) {
    return new ErrorPage(403, "Login pages unavailable", "Please contact an administrator.");
  }
  return client as Authorization["client"];
}

/**
 * The requested scopes, or all that the client may have if the request names none. Undefined if one is not allowed, or
 * if `email`, `phone` or `profile` is requested without `openid`.
 */
function grantedScopes(scope: string | undefined, { scopes }: OAuthSettings): readonly string[] | undefined {
  const requested = [...new Set((scope ?? "").split(" ").filter((name) => name !== ""))];
  if (requested.length === 0) return scopes;
  if (requested.some((name) => !scopes.includes(name))) return undefined;
  const needsOpenid = requested.some((name) => ["email", "phone", "profile"].includes(name));
  return needsOpenid && !requested.includes("openid") ? undefined : requested;
}

/** The only value of a parameter; undefined if it is missing or given more than once. */
export function single(search: URLSearchParams, name: string): string | undefined {
  const values = search.getAll(name);
  return values.length === 1 ? values[0] : undefined;
}

/** Appends parameters to a registered URL, which is otherwise unchanged. */
export function withParameters(url: string, values: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined);
  if (given.length === 0) return url;
  return `${url}${url.includes("?") ? "&" : "?"}${new URLSearchParams(given)}`;
}
