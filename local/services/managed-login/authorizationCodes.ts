import { createHash, randomUUID } from "node:crypto";
import type { Client, Pool } from "../cognito/pools";
import type { Authorization } from "./authorization";

/** The request and the user that an authorization code was issued for. */
export interface AuthorizationCode {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly nonce?: string;
  readonly codeChallenge?: string;
  readonly username: string;
  /** Seconds since 1970. */
  readonly authTime: number;
  /** ms since 1970. */
  readonly expires: number;
}

/** Cognito's lifetime of a code: five minutes. */
const lifetimeInMs = 5 * 60_000;

/** The valid authorization codes: each can be used once, with its client, redirect URL and PKCE verifier only. */
export class AuthorizationCodes {
  readonly #grants = new Map<string, AuthorizationCode>();
  /** Used codes → the session they opened, kept for the lifetime of a code. */
  readonly #used = new Map<string, { pool: Pool; sessionId: string; expires: number }>();

  /** @param now ms since 1970 */
  constructor(readonly now: () => number) {}

  /** @returns the code */
  issue(
    { client, redirectUri, scopes, nonce, codeChallenge }: Authorization,
    username: string,
    authTime: number,
  ): string {
    this.#forgetOld();
    const code = randomUUID();
    const expires = this.now() + lifetimeInMs;
    this.#grants.set(code, {
      clientId: client.id,
      redirectUri,
      scopes,
      nonce,
      codeChallenge,
      username,
      authTime,
      expires,
    });
    return code;
  }

  /**
   * Uses a code of this client, which is then no longer valid, even if the rest of the request does not match it.
   * @param verifier PKCE's `code_verifier`
   * @returns undefined if the code is not valid for this request
   */
  redeem(
    code: string,
    client: Client,
    redirectUri: string | undefined,
    verifier: string | undefined,
  ): AuthorizationCode | undefined {
    const grant = this.#grants.get(code);
    if (!grant || grant.clientId !== client.id) return undefined;
    this.#grants.delete(code);
    const challenge = verifier === undefined ? undefined : createHash("sha256").update(verifier).digest("base64url");
    const fits = grant.redirectUri === redirectUri && grant.codeChallenge === challenge && grant.expires > this.now();
    return fits ? grant : undefined;
  }

  /** Remembers which session a code opened. */
  opened(code: string, pool: Pool, sessionId: string): void {
    this.#used.set(code, { pool, sessionId, expires: this.now() + lifetimeInMs });
  }

  /** The session that a code has opened before: a second use means that somebody else has the code too. */
  openedBy(code: string): { pool: Pool; sessionId: string } | undefined {
    return this.#used.get(code);
  }

  #forgetOld(): void {
    for (const entries of [this.#grants, this.#used]) {
      // Entries are in order of creation, which is also the order in which they expire.
      for (const [code, { expires }] of entries) {
        if (expires > this.now()) break;
        entries.delete(code);
      }
    }
  }
}
