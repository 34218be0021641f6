import { createHash, randomBytes, randomUUID } from "node:crypto";
import { notAuthorized } from "./errors";
import type { Claims, SigningKey } from "./keys";
import type { Client, Pool } from "./pools";
import type { Session } from "./sessions";
import type { User } from "./users";

export interface TokenSet {
  readonly accessToken: string;
  /** Missing if `openid` was not granted. */
  readonly idToken?: string;
  /** Seconds. */
  readonly expiresIn: number;
}

/** The scope that a sign-in through the API grants. */
export const adminScope = "aws.cognito.signin.user.admin";

/**
 * Issues and checks the tokens of every pool.
 * @see https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-with-identity-providers.html
 */
export class Tokens {
  /**
   * @param base URL of the Cognito endpoint; a pool's issuer is this, a slash and its id, as on AWS.
   * @param now ms since 1970
   */
  constructor(
    readonly key: SigningKey,
    readonly base: string,
    readonly now: () => number,
  ) {}

  issuer(poolId: string): string {
    return `${this.base}/${poolId}`;
  }

  /**
   * Opens a session for a person who has just signed in.
   * @param authTime of the sign-in, seconds since 1970
   */
  open(client: Client, user: User, authTime: number, scopes?: readonly string[]) {
    const id = randomUUID();
    const refreshToken = `${id}.${randomBytes(32).toString("base64url")}`;
    const session: Session = {
      id,
      username: user.username,
      sub: user.attributes.sub,
      clientId: client.id,
      scopes,
      authTime,
      expires: this.#seconds() + client.settings.validity.refresh,
      refreshHash: sha256(refreshToken).toString("base64url"),
    };
    client.pool.sessions.set(id, session);
    return { session, refreshToken };
  }

  /** @param nonce of the authorization request, for the ID token */
  issue(client: Client, user: User, session: Session, nonce?: string): TokenSet {
    const { access, id } = client.settings.validity;
    const iat = this.#seconds();
    const common = {
      sub: user.attributes.sub,
      iss: this.issuer(client.pool.id),
      origin_jti: session.id,
      event_id: randomUUID(),
      auth_time: session.authTime,
      iat,
    };
    const accessToken = this.key.sign({
      ...common,
      ...(session.scopes ? { version: 2 } : {}),
      client_id: client.id,
      token_use: "access",
      scope: (session.scopes ?? [adminScope]).join(" "),
      exp: iat + access,
      jti: randomUUID(),
      username: user.username,
    });
    if (session.scopes && !session.scopes.includes("openid")) return { accessToken, expiresIn: access };
    const idToken = this.key.sign({
      ...common,
      ...(session.scopes ? { at_hash: sha256(accessToken).subarray(0, 16).toString("base64url") } : {}),
      ...(nonce === undefined ? {} : { nonce }),
      ...attributeClaims(client, user, session.scopes),
      "cognito:username": user.username,
      aud: client.id,
      token_use: "id",
      exp: iat + id,
      jti: randomUUID(),
    });
    return { accessToken, idToken, expiresIn: access };
  }

  /**
   * @returns the session and user of a refresh token of this client.
   * @throws NotAuthorizedException
   */
  refresh(client: Client, refreshToken: string): { session: Session; user: User } {
    const session = client.pool.sessions.get(refreshToken.split(".")[0]!);
    const genuine = session?.refreshHash === sha256(refreshToken).toString("base64url");
    if (!session || !genuine || session.clientId !== client.id) throw notAuthorized("Invalid Refresh Token");
    if (session.revoked) throw notAuthorized("Refresh Token has been revoked");
    if (session.expires <= this.#seconds()) throw notAuthorized("Refresh Token has expired");
    const user = client.pool.users.find(session.username);
    const isSameUser = session.sub === undefined || session.sub === user?.attributes.sub;
    if (!user || !isSameUser) throw notAuthorized("Invalid Refresh Token");
    if (!user.enabled) throw notAuthorized("User is disabled.");
    return { session, user };
  }

  /** Ends a session: its refresh token and, if the client has revocation on, its access tokens become invalid. */
  revoke(pool: Pool, session: Session): void {
    pool.sessions.set(session.id, { ...session, revoked: true });
  }

  /**
   * @returns the claims, the client and the user of an access token.
   * @throws NotAuthorizedException if the token is not valid or the user does not exist any more
   */
  access(
    { clients }: { readonly clients: ReadonlyMap<string, Client> },
    token: string,
  ): { claims: Claims; client: Client; user: User } {
    const claims = this.key.verify(token);
    const client = clients.get(String(claims?.client_id));
    const user = client?.pool.users.find(String(claims?.username));
    const ours = claims?.token_use === "access" && client && claims.iss === this.issuer(client.pool.id);
    if (!ours) throw notAuthorized("Invalid Access Token");
    if (Number(claims.exp) <= this.#seconds()) throw notAuthorized("Access Token has expired");
    if (!user || user.attributes.sub !== claims.sub) throw notAuthorized("Invalid Access Token");
    const session = client.pool.sessions.get(String(claims.origin_jti));
    if (session?.revoked && client.settings.revocation) throw notAuthorized("Access Token has been revoked");
    if (!user.enabled) throw notAuthorized("User is disabled.");
    return { claims, client, user };
  }

  #seconds(): number {
    return Math.floor(this.now() / 1000);
  }
}

/** The attributes that each standard scope grants. */
const scopeAttributes: Readonly<Record<string, readonly string[]>> = {
  email: ["email", "email_verified"],
  phone: ["phone_number", "phone_number_verified"],
};

/**
 * The user's attributes as claims. With `openid` alone or through the API, these are all that the client may read; with
 * `email`, `phone` or `profile`, those that these scopes grant.
 * @see https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-define-resource-servers.html
 */
export function attributeClaims(client: Client, user: User, scopes?: readonly string[]): Record<string, unknown> {
  const narrowing = scopes?.filter((scope) => ["email", "phone", "profile"].includes(scope)) ?? [];
  const contact = Object.values(scopeAttributes).flat();
  const granted = (name: string) =>
    narrowing.length === 0 ||
    (contact.includes(name)
      ? narrowing.some((scope) => scopeAttributes[scope]?.includes(name))
      : narrowing.includes("profile"));
  const readable = client.settings.readAttributes;
  const entries = Object.entries(user.attributes).filter(
    ([name]) => name !== "sub" && granted(name) && (readable === undefined || readable.includes(name)),
  );
  return Object.fromEntries(
    entries.map(([name, value]) => [name, name.endsWith("_verified") ? value === "true" : value]),
  );
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
