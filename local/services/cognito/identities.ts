import { randomBytes, randomInt } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { replaceFile } from "../../lib/files";

interface PoolIdentity {
  readonly id: string;
  /** The settings that cannot change without replacing the pool. */
  readonly fixed: string;
}

interface ClientIdentity {
  readonly id: string;
  readonly secret?: string;
}

interface Content {
  pools: Record<string, PoolIdentity>;
  clients: Record<string, ClientIdentity>;
}

/** Identifiers as Cognito would assign them, by the program's logical names: the same at every start. */
export class Identities {
  readonly #file: string;
  readonly #content: Content;

  constructor(file: string) {
    this.#file = file;
    this.#content = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : { pools: {}, clients: {} };
  }

  /** @param fixed is stored if the pool is new */
  pool(name: string, region: string, fixed: string): PoolIdentity {
    const known = this.#content.pools[name];
    if (known) return known;
    const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const created = { id: `${region}_${random(letters, 9)}`, fixed };
    this.#content.pools[name] = created;
    this.#save();
    return created;
  }

  client(poolId: string, name: string, withSecret: boolean): ClientIdentity {
    const key = `${poolId}/${name}`;
    const known = this.#content.clients[key];
    // As on AWS, a change of this setting replaces the client.
    if (known && (known.secret !== undefined) === withSecret) return known;
    const id = random("abcdefghijklmnopqrstuvwxyz0123456789", 26);
    const created = withSecret ? { id, secret: randomBytes(32).toString("hex").slice(0, 51) } : { id };
    this.#content.clients[key] = created;
    this.#save();
    return created;
  }

  #save(): void {
    mkdirSync(dirname(this.#file), { recursive: true });
    replaceFile(this.#file, JSON.stringify(this.#content, null, 2));
  }
}

function random(letters: string, length: number): string {
  return Array.from({ length }, () => letters[randomInt(letters.length)]).join("");
}
