/** One sign-in, which its refresh token continues. */
export interface Session {
  /** `origin_jti` of every token that comes from this sign-in. */
  readonly id: string;
  readonly username: string;
  readonly clientId: string;
  /** Scopes granted at the OAuth endpoints; undefined for a sign-in through the API. */
  readonly scopes?: readonly string[];
  /** Seconds since 1970. */
  readonly authTime: number;
  readonly expires: number;
  /** SHA-256 of the refresh token. */
  readonly refreshHash: string;
  readonly revoked?: boolean;
}
