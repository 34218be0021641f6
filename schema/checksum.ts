/** SHA-256 of a text, hexadecimal. */
export function checksum(text: string): string {
  // Required here, not at the top: Pulumi serializes this function into the dynamic provider that uses it.
  const { createHash } = require("node:crypto") as typeof import("node:crypto");
  return createHash("sha256").update(text).digest("hex");
}
