import { challengeOf, randomText } from "./pkce.js";
import { Problem, signInEnded, unreachable, wordsFor } from "./problems.js";
import { stored } from "./stored.js";

const tokensItem = "tokens";
const pendingItem = "pendingSignIn";
/** A token is renewed when its remaining time is less than this, so that it does not expire during a request. */
const marginMs = 60_000;
const answerWithinMs = 30_000;
const scope = "openid email aws.cognito.signin.user.admin";

/**
 * @typedef {object} Tokens
 * @property {string} accessToken
 * @property {string} idToken
 * @property {string} refreshToken
 * @property {number} expiresAt milliseconds since 1970
 */

/**
 * The sign-in of this tab: authorization code with PKCE at managed login, tokens kept in sessionStorage.
 * https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-userpools-server-contract-reference.html
 */
export class Session {
  /** @type {import("./settings.js").Settings} */
  #settings;
  /** @type {string} */
  #login;
  /** @type {Promise<Tokens> | undefined} */
  #renewing;

  /** @param {import("./settings.js").Settings} settings */
  constructor(settings) {
    this.#settings = settings;
    this.#login = new URL(settings.signInUrl).origin;
  }

  /**
   * The signed-in person. The page does not verify the ID token's signature: it received the token directly from the
   * token endpoint (OpenID Connect Core 3.1.3.7). The servers that return data verify the access token.
   *
   * @returns {{ sub: string, email: string } | undefined}
   */
  get user() {
    const tokens = keptTokens();
    return tokens && claimsOf(tokens.idToken);
  }

  /**
   * Goes to the login pages, which redirect to this page with a code.
   *
   * @param {"/oauth2/authorize" | "/signup"} page
   */
  async begin(page) {
    const pending = { state: randomText(), verifier: randomText() };
    sessionStorage.setItem(pendingItem, JSON.stringify(pending));
    const query = new URLSearchParams({
      client_id: this.#settings.userPoolClientId,
      response_type: "code",
      scope,
      redirect_uri: this.#settings.webUrl,
      state: pending.state,
      code_challenge: await challengeOf(pending.verifier),
      code_challenge_method: "S256",
    });
    location.assign(`${this.#login}${page}?${query}`);
  }

  /**
   * Removes the login pages' response from the address, if there is one, and signs in with its code.
   *
   * @throws {Problem}
   */
  async finish() {
    const answer = new URL(location.href).searchParams;
    if (!answer.has("code") && !answer.has("error")) return;
    const pending = pendingSignIn();
    sessionStorage.removeItem(pendingItem);
    history.replaceState(null, "", location.pathname);
    const [state, error] = [answer.get("state"), answer.get("error")];
    const known = pending !== undefined && state === pending.state;
    // A person who is already signed in may load the address of an old response again.
    if (!known && this.user) return;
    if (!known && state !== null) {
      throw new Problem("This sign-in was not started in this tab, or was used already. Sign in again.");
    }
    // An error is shown also without a state, because it does not sign anybody in.
    if (error !== null) {
      throw new Problem(`The login pages did not sign you in: ${answer.get("error_description") || error}.`);
    }
    // There is no state where the person opened the login pages' address directly. The code may belong to another
    // person, so it is not used. The browser now has a session at the login pages, so a new sign-in needs no form.
    if (!known) return this.begin("/oauth2/authorize");
    await this.#ask({
      grant_type: "authorization_code",
      code: answer.get("code") ?? "",
      redirect_uri: this.#settings.webUrl,
      code_verifier: pending.verifier,
    });
  }

  /**
   * A token that is valid for a request now; renews an expired one.
   *
   * @returns {Promise<string>}
   * @throws {Problem}
   */
  async accessToken() {
    const tokens = keptTokens();
    if (tokens === undefined) throw new Problem(signInEnded, { signedOut: true });
    if (tokens.expiresAt - Date.now() > marginMs) return tokens.accessToken;
    // Uploads that start together share one renewal.
    this.#renewing ??= this.#ask({ grant_type: "refresh_token", refresh_token: tokens.refreshToken }).finally(() => {
      this.#renewing = undefined;
    });
    return (await this.#renewing).accessToken;
  }

  /** Forgets the tokens in this tab. */
  forget() {
    sessionStorage.removeItem(tokensItem);
  }

  /** Ends the sign-in here and at the login pages, which redirect to this page. */
  async signOut() {
    const tokens = keptTokens();
    this.forget();
    const client = { client_id: this.#settings.userPoolClientId };
    if (tokens) {
      const body = new URLSearchParams({ ...client, token: tokens.refreshToken });
      // Errors are ignored: signing out must not fail.
      await fetch(`${this.#login}/oauth2/revoke`, { method: "POST", body, signal: AbortSignal.timeout(3_000) }).catch(
        () => {},
      );
    }
    location.assign(`${this.#login}/logout?${new URLSearchParams({ ...client, logout_uri: this.#settings.webUrl })}`);
  }

  /**
   * Requests tokens from the token endpoint and stores them.
   *
   * @param {Record<string, string>} grant
   * @returns {Promise<Tokens>}
   */
  async #ask(grant) {
    const response = await fetch(`${this.#login}/oauth2/token`, {
      method: "POST",
      body: new URLSearchParams({ client_id: this.#settings.userPoolClientId, ...grant }),
      signal: AbortSignal.timeout(answerWithinMs),
    }).catch(() => {
      throw new Problem(unreachable("the login service", this.#login));
    });
    const answer = await response.json().catch(() => ({}));
    if (answer.error === "invalid_grant") throw new Problem(signInEnded, { signedOut: true });
    if (!response.ok) throw new Problem(wordsFor(response.status, "The sign-in"));
    // A person who signed out during this request stays signed out.
    const forgotten = grant.grant_type === "refresh_token" && keptTokens() === undefined;
    if (forgotten) throw new Problem(signInEnded, { signedOut: true });
    /** @type {Tokens} */
    const tokens = {
      accessToken: answer.access_token,
      idToken: answer.id_token,
      // The response to a renewal has a new refresh token only where the app client rotates them.
      refreshToken: answer.refresh_token ?? grant.refresh_token,
      expiresAt: Date.now() + answer.expires_in * 1000,
    };
    sessionStorage.setItem(tokensItem, JSON.stringify(tokens));
    return tokens;
  }
}

/** @returns {Tokens | undefined} undefined where the stored value is not a complete set of tokens */
function keptTokens() {
  const kept = /** @type {Partial<Tokens>} */ (stored(sessionStorage, tokensItem) ?? {});
  const texts = [kept.accessToken, kept.idToken, kept.refreshToken];
  const whole = texts.every((text) => typeof text === "string") && typeof kept.expiresAt === "number";
  return whole && claimsOf(kept.idToken ?? "") ? /** @type {Tokens} */ (kept) : undefined;
}

/** @returns {{ state: string, verifier: string } | undefined} */
function pendingSignIn() {
  const { state, verifier } = /** @type {Record<string, unknown>} */ (stored(sessionStorage, pendingItem) ?? {});
  return typeof state === "string" && typeof verifier === "string" ? { state, verifier } : undefined;
}

/**
 * @param {string} token
 * @returns {{ sub: string, email: string } | undefined} undefined where the token is not an ID token
 */
function claimsOf(token) {
  try {
    const payload = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
    const { sub, email } = JSON.parse(new TextDecoder().decode(bytes));
    return typeof sub === "string" && typeof email === "string" ? { sub, email } : undefined;
  } catch {
    return undefined;
  }
}
