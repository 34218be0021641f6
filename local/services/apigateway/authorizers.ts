import { JwtVerifier } from "aws-jwt-verify";
import { JwtExpiredError, JwtInvalidSignatureAlgorithmError, KidNotFoundInJwksError } from "aws-jwt-verify/error";
import type { Jwks } from "aws-jwt-verify/jwk";
import { GatewayError } from "./gatewayErrors";
import type { Authorizer } from "./model";

/** The properties of a user pool that an authorizer uses. */
export interface UserPool {
  /** The `iss` of its tokens. */
  readonly issuer: string;
  jwks(): Promise<Jwks>;
  /** The app clients of the pool. */
  clientIds(): readonly string[];
}

/** A user pool by its ARN; undefined if there is none. */
export type UserPools = (arn: string) => UserPool | undefined;

/** The claims of an accepted token. */
export type Claims = Readonly<Record<string, unknown>>;

type Verifier = ReturnType<typeof verifierOf>;

/** Checks tokens as an authorizer of the type `COGNITO_USER_POOLS` does; keys are fetched once and kept. */
export class CognitoAuthorizers {
  readonly #userPools: UserPools;
  readonly #verifiers = new Map<string, Verifier>();

  constructor(userPools: UserPools) {
    this.#userPools = userPools;
  }

  /**
   * @param token the whole header; a leading "Bearer " is removed
   * @param scopes of the method: with scopes an access token with one of them is required, without scopes an ID token
   * @throws GatewayError 401, or 500 if a user pool of the authorizer is gone
   * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-enable-cognito-user-pool.html
   */
  async check(authorizer: Authorizer, token: string | undefined, scopes: readonly string[]): Promise<Claims> {
    const pools = authorizer.providerArns.map((arn) => {
      const pool = this.#userPools(arn);
      if (pool) return pool;
      throw new GatewayError(
        "AUTHORIZER_CONFIGURATION_ERROR",
        undefined,
        `${authorizer.name}: there is no user pool ${arn}`,
      );
    });
    const bare = token?.replace(/^Bearer\s+/i, "").trim();
    if (!bare) throw new GatewayError("UNAUTHORIZED");
    let expired = false;
    for (const pool of pools) {
      try {
        const claims = await this.#verify(pool, bare);
        if (isMeantFor(claims, pool, scopes)) return claims;
      } catch (error) {
        // In addition to its own errors, the verifier throws a RangeError for a date that `Date` cannot represent.
        if (error instanceof GatewayError) throw error;
        if (error instanceof JwtExpiredError) expired = true;
      }
    }
    throw expired
      ? new GatewayError("UNAUTHORIZED", "The incoming token has expired")
      : new GatewayError("UNAUTHORIZED");
  }

  async #verify(pool: UserPool, token: string): Promise<Claims> {
    const known = this.#verifiers.get(pool.issuer);
    try {
      if (known) return known.verifySync(token);
    } catch (error) {
      if (!(error instanceof KidNotFoundInJwksError)) throw error;
    }
    // This is the first token, or its key is newer than the cached keys.
    const jwks = await pool.jwks().catch((error: unknown) => {
      throw new GatewayError(
        "AUTHORIZER_CONFIGURATION_ERROR",
        undefined,
        `The keys of ${pool.issuer} cannot be fetched: ${error}`,
      );
    });
    const verifier = verifierOf(pool.issuer, jwks);
    this.#verifiers.set(pool.issuer, verifier);
    return verifier.verifySync(token);
  }
}

function verifierOf(issuer: string, jwks: Jwks) {
  const verifier = JwtVerifier.create({
    issuer,
    audience: null,
    customJwtCheck: ({ header }) => {
      // Cognito signs with RS256 only.
      if (header.alg !== "RS256") throw new JwtInvalidSignatureAlgorithmError("Not allowed", header.alg, "RS256");
    },
  });
  verifier.cacheJwks(jwks);
  return verifier;
}

function isMeantFor(claims: Claims, pool: UserPool, scopes: readonly string[]): boolean {
  const isAccess = scopes.length > 0;
  const client = isAccess ? claims.client_id : claims.aud;
  if (claims.token_use !== (isAccess ? "access" : "id")) return false;
  if (typeof client !== "string" || !pool.clientIds().includes(client)) return false;
  const granted = typeof claims.scope === "string" ? claims.scope.split(" ") : [];
  return !isAccess || scopes.some((scope) => granted.includes(scope));
}
