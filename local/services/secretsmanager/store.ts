import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { CommandError } from "../../../cli/commandError";
import { replaceFile } from "../../lib/files";

/** One version of a secret, as it is stored. */
export interface Version {
  /** One of these two is the value, binary as base64. Both are missing until a rotation has filled its new version. */
  secretString?: string;
  secretBinary?: string;
  stages: string[];
  /** Seconds since 1970. */
  readonly createdDate: number;
}

/** A secret, as it is stored: dates in seconds since 1970. */
export interface Secret {
  readonly arn: string;
  readonly name: string;
  description?: string;
  readonly createdDate: number;
  lastChangedDate: number;
  /** By version ID, oldest first. */
  versions: Record<string, Version>;
  /** What the program declared last, by the logical name of its SecretVersion. */
  declared: Record<string, Declared>;
  /** How it is rotated; absent if rotation is off. */
  rotation?: RotationState;
}

/** A value that the program declared, and the version with this value. */
export interface Declared {
  readonly hash: string;
  readonly versionId: string;
  /** The hash of each field, if the value is a JSON object. */
  readonly fields?: Readonly<Record<string, string>>;
}

/** How a secret is rotated. */
export interface RotationState {
  readonly functionArn: string;
  /** Days between two rotations. */
  readonly days?: number;
  /** Seconds since 1970; absent before the first rotation has succeeded. */
  readonly lastRotatedDate?: number;
}

/** How many versions of a secret are kept, as on AWS; those with a staging label are always kept. */
const maxVersions = 100;

/** The secrets of this machine in one file, readable by its owner only. Each save replaces the file atomically. */
export class SecretStore {
  readonly #file: string;
  readonly #secrets: Map<string, Secret>;

  constructor(file: string) {
    this.#file = file;
    this.#secrets = new Map(Object.entries(readSecrets(file)));
  }

  get(name: string): Secret | undefined {
    return this.#secrets.get(name);
  }

  /** Adds an empty secret; its ARN ends in six random characters, as on AWS, and keeps them from then on. */
  create(name: string, arnPrefix: string, now: number): Secret {
    const suffix = Array.from(randomBytes(6), (byte) => letters[byte % letters.length]).join("");
    const arn = `${arnPrefix}${name}-${suffix}`;
    const secret: Secret = { arn, name, createdDate: now, lastChangedDate: now, versions: {}, declared: {} };
    this.#secrets.set(name, secret);
    return secret;
  }

  save(): void {
    for (const secret of this.#secrets.values()) forgetOldVersions(secret);
    mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
    replaceFile(this.#file, JSON.stringify(Object.fromEntries(this.#secrets), null, 2));
  }
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

function forgetOldVersions(secret: Secret): void {
  const unlabelled = Object.entries(secret.versions).filter(([, version]) => version.stages.length === 0);
  const surplus = Object.keys(secret.versions).length - maxVersions;
  for (const [id] of unlabelled.slice(0, Math.max(0, surplus))) delete secret.versions[id];
}

function readSecrets(file: string): Record<string, Secret> {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    if (error instanceof SyntaxError)
      throw new CommandError(`${file} is damaged (not JSON): remove it, or start with --reset.`);
    throw error;
  }
}
