import * as pulumi from "@pulumi/pulumi";
import { CertificateFileError } from "../database/rdsCaCerts";

/** An error that the program's user can correct; its message says how. */
export class UserError extends pulumi.RunError {
  constructor(message: string) {
    super(message);
    // Pulumi puts the names of resource properties before the message of an error that is thrown in an `apply`.
    Object.defineProperty(this, "message", { get: () => message, set: () => {}, configurable: true });
  }
}

/**
 * Runs the program so that Pulumi reports an error that its user can correct as the message alone, which it does for a
 * RunError. Any other error is a defect of the program, and is reported with its stack trace.
 *
 * @throws RunError without a stack trace for an error that the user can correct; any other error as it is
 */
export async function reportUserErrors<T>(program: () => Promise<T>): Promise<T> {
  try {
    return await program();
  } catch (error) {
    const reported = asUserError(error);
    if (reported === undefined) throw error;
    // Otherwise Pulumi renders the whole error for its tracing, with everything that the error references.
    reported.stack = undefined;
    throw reported;
  }
}

/**
 * The error to report if it comes from the configuration, the schema's files, a certificate file or a function's
 * source.
 */
function asUserError(error: unknown): Error | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof pulumi.RunError) return error;
  const isSchemaError = error.name === "SchemaError";
  // esbuild's `BuildFailure`, whose message names the file and the line.
  const isBuildFailure = "errors" in error && "warnings" in error;
  return isSchemaError || isBuildFailure || error instanceof CertificateFileError
    ? new UserError(error.message)
    : undefined;
}
