import { createHash } from "node:crypto";
import { versionWith } from "./stages";
import type { Secret, Version } from "./store";

type Value = Pick<Version, "secretString" | "secretBinary">;

/** Whether the value is the same as the one that the program declared last. */
export function isDeclared(secret: Secret, name: string, value: Value): boolean {
  return secret.declared[name]?.hash === hashOf([value.secretString, value.secretBinary]);
}

/**
 * Stores what the program declares, and adds a version with it. A field of a JSON object that the program has not
 * changed keeps the value that a rotation has given it. For example, the rotated password stays when the database has
 * moved to another port.
 *
 * @param name logical name of the program's SecretVersion
 * @param add adds the version and returns its ID
 */
export function declare(secret: Secret, name: string, value: Value, add: (value: Value) => string): void {
  const fields = fieldsOf(value.secretString);
  const versionId = add({ ...value, secretString: merged(secret, name, fields) ?? value.secretString });
  secret.declared[name] = {
    hash: hashOf([value.secretString, value.secretBinary]),
    versionId,
    ...(fields && { fields: Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, hashOf(field)])) }),
  };
}

function merged(secret: Secret, name: string, fields: Fields | undefined): string | undefined {
  const before = secret.declared[name]?.fields;
  const current = fieldsOf(secret.versions[versionWith(secret, "AWSCURRENT") ?? ""]?.secretString);
  if (!fields || !before || !current) return undefined;
  const kept = Object.keys(fields).filter((key) => key in current && before[key] === hashOf(fields[key]));
  return JSON.stringify({ ...fields, ...Object.fromEntries(kept.map((key) => [key, current[key]])) });
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(text: string | undefined): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text ?? "");
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

function hashOf(value: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(value) ?? "")
    .digest("hex");
}
