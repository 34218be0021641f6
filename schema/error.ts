/** An error of a schema file, or of the server it is applied to. The message says what to do. */
export interface SchemaError extends Error {
  readonly name: "SchemaError";
  /** MySQL's or the network's own code if there is one, for example `ER_PARSE_ERROR`, `ECONNREFUSED`. */
  readonly code?: string;
  /** Line of the file, from 1, if the error is in the file. */
  readonly line?: number;
}

/**
 * Makes a {@link SchemaError}. A function, not a class: Pulumi serializes this code into its state together with the
 * dynamic provider that uses it, and a serialized class that extends `Error` loses its message.
 */
export function schemaError(
  message: string,
  details: { readonly code?: string; readonly line?: number; readonly cause?: unknown } = {},
): SchemaError {
  const { cause, ...rest } = details;
  const error = new Error(message, cause === undefined ? undefined : { cause });
  return Object.assign(error, { name: "SchemaError" as const }, rest);
}
