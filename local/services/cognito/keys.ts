import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

export type Claims = Readonly<Record<string, unknown>>;

/** The one key pair of this data folder: signs every token, and is published as a JSON Web Key Set. */
export class SigningKey {
  readonly #private: KeyObject;
  readonly #public: KeyObject;
  readonly #id: string;

  /** @param file PEM of the private key; created with mode 0600 on the first start. */
  constructor(file: string) {
    if (!existsSync(file)) {
      mkdirSync(dirname(file), { recursive: true });
      const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
      writeFileSync(file, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
    }
    this.#private = createPrivateKey(readFileSync(file));
    this.#public = createPublicKey(this.#private);
    this.#id = createHash("sha256")
      .update(this.#public.export({ type: "spki", format: "der" }))
      .digest("base64");
  }

  /** @see https://www.rfc-editor.org/rfc/rfc7517#section-5 */
  get jwks(): { keys: Record<string, unknown>[] } {
    return { keys: [{ alg: "RS256", use: "sig", kid: this.#id, ...this.#public.export({ format: "jwk" }) }] };
  }

  /** @returns a JWT signed with RS256. */
  sign(claims: Claims): string {
    const content = `${encode({ kid: this.#id, alg: "RS256" })}.${encode(claims)}`;
    return `${content}.${sign("sha256", Buffer.from(content), this.#private).toString("base64url")}`;
  }

  /** @returns the claims of a JWT that this key signed; undefined for anything else. Does not check the expiry. */
  verify(token: string): Claims | undefined {
    const [header = "", payload = "", signature = "", ...more] = token.split(".");
    const { alg, kid } = decode(header) ?? {};
    if (alg !== "RS256" || kid !== this.#id || more.length > 0) return undefined;
    const content = Buffer.from(`${header}.${payload}`);
    const genuine = verify("sha256", content, this.#public, Buffer.from(signature, "base64url"));
    return genuine ? decode(payload) : undefined;
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function decode(part: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Claims) : undefined;
  } catch {
    return undefined;
  }
}
