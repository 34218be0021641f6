import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import type { UserPool } from "../../../../local/services/apigateway/authorizers";

const b64 = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A user pool with its own key, which signs any claims. */
export function testPool(issuer: string, clientId = "client-1", kid = "key-1") {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  // Without `alg`, so that the authorizer decides which algorithms are allowed.
  const jwk = { ...publicKey.export({ format: "jwk" }), kid, use: "sig" };
  let fetched = 0;
  const pool: UserPool & { readonly fetched: number } = {
    issuer,
    jwks: async () => {
      fetched++;
      return { keys: [jwk] } as any;
    },
    clientIds: () => [clientId],
    get fetched() {
      return fetched;
    },
  };
  const now = () => Math.floor(Date.now() / 1000);
  const issue = (claims: object, header: object = {}) => {
    const head = { alg: "RS256", kid, ...header } as { alg: string };
    const signed = `${b64(head)}.${b64({ iss: issuer, sub: "sub-1", iat: now(), exp: now() + 3600, ...claims })}`;
    if (head.alg === "none") return `${signed}.`;
    if (head.alg === "HS256") {
      // The classic attack: the public key is used as the secret.
      const secret = publicKey.export({ format: "pem", type: "spki" });
      return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
    }
    const digest = head.alg === "RS512" ? "sha512" : "sha256";
    return `${signed}.${sign(digest, Buffer.from(signed), privateKey).toString("base64url")}`;
  };
  return {
    pool,
    issue,
    access: (claims: object = {}, header?: object) =>
      issue({ token_use: "access", client_id: clientId, scope: "openid email", ...claims }, header),
    id: (claims: object = {}, header?: object) => issue({ token_use: "id", aud: clientId, ...claims }, header),
  };
}
