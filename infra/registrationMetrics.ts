/**
 * What is counted in the functions' logs. Pure; the patterns are CloudWatch's for JSON log events.
 *
 * With Lambda's JSON format a line of the function's own stands under `message`, with its `code`. An error that the
 * function throws is written once more by the runtime, with `errorType`, and must not count twice.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 */
const ownLine = '($.message.code = "*") && ($.message.errorType NOT EXISTS)';
const conflict = '($.message.code = "EMAIL_CONFLICT")';
const otherFault = '($.message.code != "EMAIL_CONFLICT")';
/**
 * An invocation that ended without a line of its own: an exception outside of the handler, a module that does not load,
 * the time or memory used up. Lambda reports those that do not succeed at the system log level WARN, too.
 * {@link https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html}
 */
const crash =
  '(($.level = "ERROR") && ($.message.errorType = "*") && ($.message.code NOT EXISTS)) || ' +
  '(($.type = "platform.report") && (($.record.status = "timeout") || ($.record.status = "failure")))';

/** In the registration function's log: metric name → pattern. Nothing of a person becomes a dimension: an address or `sub` would be a metric each. */
export const registrationMetrics = {
  /** People who confirmed their sign-up and were turned away by a fault. */
  RegistrationFailures: `{ ($.level = "ERROR") && ${otherFault} && ${ownLine} }`,
  /** Sign-ups and sign-ins with an address that belongs to another account's row. */
  EmailConflicts: `{ ${conflict} && ${ownLine} }`,
  /** Rows that were missing at a sign-in, a password reset or in the queue, and still are. */
  LateRegistrationFailures: `{ ($.level = "WARN") && ${otherFault} && ${ownLine} }`,
  /** Rows that were missing, and were made at a sign-in or password reset. */
  LateRegistrations: `{ ($.level = "INFO") && ($.message.code = "CAUGHT_UP") && ${ownLine} }`,
  /** Invocations that ended without a line of their own. */
  RegistrationCrashes: `{ ${crash} }`,
} as const;

/** The same in the log of the function that rotates the database password. */
export const rotationMetrics = {
  /** Steps of a rotation that failed, in whatever way. */
  RotationFailures: `{ (($.level = "ERROR") && ${ownLine}) || ${crash} }`,
} as const;

export type LogMetric = keyof typeof registrationMetrics | keyof typeof rotationMetrics;
