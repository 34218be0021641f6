/**
 * Does the work without stack traces in new errors. Pulumi captures a stack trace for each promise, which takes half of
 * the time of an evaluation of the program.
 */
export async function withoutStackTraces<T>(work: () => Promise<T>): Promise<T> {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return await work();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
