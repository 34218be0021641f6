/**
 * What is counted in the functions' logs. Pure; the patterns are CloudWatch's for JSON log events.
 *
 * In Lambda's JSON format the function's own line is the field `message`, with its `code`. The runtime writes an error
 * that the function throws once more, with `errorType` and, if the function has already logged it, with the mark
 * `logged` (`functions/shared/log.ts`): such a line must not count twice.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 */
const ownLine = '($.message.code = "*") && ($.message.errorType NOT EXISTS)';
const conflict = '($.message.code = "EMAIL_CONFLICT")';
const otherError = '($.message.code != "EMAIL_CONFLICT")';
const notLoggedBefore = "($.message.logged NOT EXISTS)";
/**
 * The runtime's line for an uncaught error, in the handler or while the module loads. Errors of other libraries may
 * have a `code` as well (`ECONNRESET`), and the runtime writes what it cannot write as JSON as text.
 * {@link https://github.com/aws/aws-lambda-nodejs-runtime-interface-client/blob/main/src/LogPatch.js}
 */
const uncaught = `($.level = "ERROR") && ${notLoggedBefore} && (($.message.errorType = "*") || ($.message.code NOT EXISTS))`;
/**
 * An invocation that ended before the runtime could log. At the system log level WARN Lambda reports failed invocations
 * too; an error that the function threw also has the `status` `error`, with another `errorType`.
 * {@link https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html}
 */
const cutOff = `($.type = "platform.report") && (${[
  ["status", "timeout"],
  // A failure in Lambda itself.
  ["status", "failure"],
  ["errorType", "Runtime.OutOfMemory"],
  ["errorType", "Runtime.ExitError"],
]
  .map(([field, value]) => `($.record.${field} = "${value}")`)
  .join(" || ")})`;

/**
 * In the registration function's log: metric name → pattern. No data of a person is a dimension: each address or `sub`
 * would be a metric of its own.
 */
export const registrationMetrics = {
  /** People who confirmed their sign-up and were shown an error. */
  RegistrationFailures: `{ ($.level = "ERROR") && ${otherError} && ${ownLine} }`,
  /** Sign-ups and sign-ins with an address that belongs to another account's row. */
  EmailConflicts: `{ ${conflict} && ${ownLine} }`,
  /**
   * Sign-ins, password resets and queued confirmations whose row could not be looked up or made, because of an error.
   */
  LateRegistrationFailures: `{ ($.level = "WARN") && ${otherError} && ${ownLine} }`,
  /** Missing rows that were made at a sign-in or password reset. */
  LateRegistrations: `{ ($.level = "INFO") && ($.message.code = "CAUGHT_UP") && ${ownLine} }`,
  /** Invocations that ended without a line of their own. */
  RegistrationCrashes: `{ (${uncaught}) || (${cutOff}) }`,
} as const;

/** The same in the log of the function that rotates the database password. */
export const rotationMetrics = {
  /** Steps of a rotation that failed, whatever the cause. */
  RotationFailures: `{ (($.level = "ERROR") && ${notLoggedBefore}) || (${cutOff}) }`,
} as const;

export type LogMetric = keyof typeof registrationMetrics | keyof typeof rotationMetrics;
