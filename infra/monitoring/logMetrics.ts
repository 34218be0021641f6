/**
 * What is counted in the functions' logs. Pure; the patterns are CloudWatch's for JSON log events.
 *
 * With Lambda's JSON format a line of the function's own stands under `message`, with its `code`. An error that the
 * function throws is written once more by the runtime, with `errorType` and, where the function has logged it before,
 * with the mark `logged` (`functions/shared/log.ts`): such a line must not count twice.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 */
const ownLine = '($.message.code = "*") && ($.message.errorType NOT EXISTS)';
const conflict = '($.message.code = "EMAIL_CONFLICT")';
const otherFault = '($.message.code != "EMAIL_CONFLICT")';
const notLoggedBefore = "($.message.logged NOT EXISTS)";
/**
 * What the runtime says of an error that nobody caught, in the handler's time or while the module loads. Foreign errors
 * may carry a `code` as well (`ECONNRESET`), and what the runtime cannot write as JSON it writes as a text.
 * {@link https://github.com/aws/aws-lambda-nodejs-runtime-interface-client/blob/main/src/LogPatch.js}
 */
const uncaught = `($.level = "ERROR") && ${notLoggedBefore} && (($.message.errorType = "*") || ($.message.code NOT EXISTS))`;
/**
 * An invocation whose runtime had no time to say anything. Lambda reports what did not succeed at the system log level
 * WARN, too; an error that the function threw is `status` `error` as well, with another `errorType`.
 * {@link https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html}
 */
const cutOff = `($.type = "platform.report") && (${[
  ["status", "timeout"],
  // A fault of Lambda's own.
  ["status", "failure"],
  ["errorType", "Runtime.OutOfMemory"],
  ["errorType", "Runtime.ExitError"],
]
  .map(([field, value]) => `($.record.${field} = "${value}")`)
  .join(" || ")})`;

/**
 * In the registration function's log: metric name → pattern. Nothing of a person becomes a dimension: an address or
 * `sub` would be a metric each.
 */
export const registrationMetrics = {
  /** People who confirmed their sign-up and were turned away by a fault. */
  RegistrationFailures: `{ ($.level = "ERROR") && ${otherFault} && ${ownLine} }`,
  /** Sign-ups and sign-ins with an address that belongs to another account's row. */
  EmailConflicts: `{ ${conflict} && ${ownLine} }`,
  /** Sign-ins, password resets and queued confirmations whose row was not found or not made, for a fault. */
  LateRegistrationFailures: `{ ($.level = "WARN") && ${otherFault} && ${ownLine} }`,
  /** Rows that were missing, and were made at a sign-in or password reset. */
  LateRegistrations: `{ ($.level = "INFO") && ($.message.code = "CAUGHT_UP") && ${ownLine} }`,
  /** Invocations that ended without a line of their own. */
  RegistrationCrashes: `{ (${uncaught}) || (${cutOff}) }`,
} as const;

/** The same in the log of the function that rotates the database password. */
export const rotationMetrics = {
  /** Steps of a rotation that failed, in whatever way. */
  RotationFailures: `{ (($.level = "ERROR") && ${notLoggedBefore}) || (${cutOff}) }`,
} as const;

export type LogMetric = keyof typeof registrationMetrics | keyof typeof rotationMetrics;
