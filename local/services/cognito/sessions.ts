/** One sign-in, which its refresh token continues. */
export interface Session {
  /** `origin_jti` of every token that comes from this sign-in. */
  readonly id: string;
  readonly username: string;
  /** The user's `sub`; a new user with the same name has another one. Absent in sessions of earlier versions. */
  readonly sub?: string;
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
