/** A fault of a schema file, or of the server it is applied to, told in words a person can act on. */
export interface SchemaError extends Error {
  readonly name: "SchemaError";
  /** MySQL's or the network's own code where there is one, for example `ER_PARSE_ERROR`, `ECONNREFUSED`. */
  readonly code?: string;
  /** Line of the file, from 1, where the fault lies in the file. */
  readonly line?: number;
}

/**
 * Makes a {@link SchemaError}. A function, not a class: this code is serialized into Pulumi's state together with the
 * dynamic provider that uses it, and a class that extends `Error` loses its message on that way.
 */
export function schemaError(
  message: string,
  details: { readonly code?: string; readonly line?: number; readonly cause?: unknown } = {},
): SchemaError {
  const { cause, ...rest } = details;
  const error = new Error(message, cause === undefined ? undefined : { cause });
  return Object.assign(error, { name: "SchemaError" as const }, rest);
}
