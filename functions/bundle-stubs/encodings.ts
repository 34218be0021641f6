/**
 * Replaces the package `iconv-lite` when the function is bundled (esbuild: `alias`); it would be a third of the bundle.
 * The driver uses it only for character sets that Node cannot decode, and this function uses utf8mb4 on its connection.
 * Two uses remain: the server's version in the greeting (CESU-8, in fact plain ASCII), and error messages of a server
 * with an unusual character set, which are never shown.
 */

/** Decodes bytes from the server; correct for ASCII only. */
export function getDecoder(_encoding: string): { write(bytes: Buffer): string; end(): undefined } {
  return { write: (bytes) => bytes.toString("latin1"), end: () => undefined };
}

/** Always throws, so that no wrongly encoded bytes are sent to the server. */
export function getEncoder(encoding: string): never {
  throw new Error(`The bundled driver cannot write the character set ${encoding}; it writes utf8mb4`);
}
