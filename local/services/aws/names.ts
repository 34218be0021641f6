import { createHash } from "node:crypto";
import type { ResourceRegistration } from "../../../host/resources";

/** A short stable hash of a text: the same on every start. */
export function shortHash(text: string, length = 7): string {
  return createHash("sha256").update(text).digest("hex").slice(0, length);
}

/**
 * The physical name of a resource: its `name`, else its `namePrefix` or its logical name with a suffix, as in Pulumi.
 * Pulumi's suffix is random; this one is a hash, so that the name is the same on the next start.
 */
export function physicalName({ type, name, inputs }: ResourceRegistration): string {
  if (typeof inputs.name === "string") return inputs.name;
  const prefix = typeof inputs.namePrefix === "string" ? inputs.namePrefix : `${name}-`;
  return prefix + shortHash(`${type} ${name}`);
}
