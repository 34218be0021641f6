import { CommandError } from "../../cli/commandError";
import { describeAwsError, describeError } from "../../cli/describeError";
import { RegistrationError, Unexpected } from "../../functions/shared/errors";
import { lineOf } from "../../functions/shared/log";

/** A short word for machines: the error's code, or its name. */
export function codeOf(error: unknown): string {
  if (error instanceof RegistrationError) {
    return error.code;
  }
  if (error instanceof CommandError && error.cause !== undefined) {
    return codeOf(error.cause);
  }
  return error instanceof Error ? error.name : "Unexpected";
}

/**
 * The text for an error of the registration function's own code, or of AWS.
 *
 * @returns undefined for any other error
 */
export function describeRegistrationError(error: unknown): string | undefined {
  if (error instanceof Unexpected) {
    return describeRegistrationError(error.cause) ?? describeError(error.cause);
  }
  if (error instanceof RegistrationError) {
    const { code, detail, causes = [] } = lineOf(error);
    const chain = causes.map((cause) => [cause.name, cause.code, cause.status].filter(Boolean).join(" "));
    return `${detail} (${[code, ...chain].join(" < ")}).`;
  }
  return describeAwsError(error);
}
