/**
 * Stands in for the package `iconv-lite` when the function is bundled (esbuild: `alias`), which is a third of the
 * bundle otherwise. The driver asks it only for what Node cannot decode itself, and this function speaks utf8mb4 on
 * its connection: what is left is the server's version in the greeting (CESU-8, plain ASCII in fact) and error
 * messages of a server with an unusual character set, which nobody is shown.
 */

/** Decodes bytes that came from the server, as far as they are ASCII. */
export function getDecoder(_encoding: string): { write(bytes: Buffer): string; end(): undefined } {
  return { write: (bytes) => bytes.toString("latin1"), end: () => undefined };
}

/** Refuses: bytes for the server are either right or not sent. */
export function getEncoder(encoding: string): never {
  throw new Error(`The bundled driver cannot write the character set ${encoding}; it writes utf8mb4`);
}
