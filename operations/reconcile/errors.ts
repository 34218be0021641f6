import { RegistrationError, Unexpected } from "../../functions/registerUser/errors";
import { lineOf } from "../../functions/registerUser/log";
import { StartError } from "../../local/host/part";

/** A fault that is the operator's to mend, told in a sentence with what to do, and without a stack. */
export class OperatorError extends Error {
  override readonly name: string = "OperatorError";
}

/** A short word for machines: the fault's code, or its name. */
export function codeOf(error: unknown): string {
  if (error instanceof RegistrationError) {
    return error.code;
  }
  return error instanceof Error ? error.name : "Unexpected";
}

/** What an operator is told of an error; a defect of this program comes with its stack. */
export function explained(error: unknown): string {
  if (error instanceof OperatorError || error instanceof StartError) {
    return error.message;
  }
  if (error instanceof Unexpected) {
    return explained(error.cause);
  }
  if (error instanceof RegistrationError) {
    const { code, detail, causes = [] } = lineOf(error);
    const behind = causes.map(({ name, code: its, status }) => [name, its, status].filter(Boolean).join(" "));
    return `${detail} (${[code, ...behind].join(" < ")}).`;
  }
  if (isOfAws(error)) {
    return `AWS: ${error.message} (${error.name})`;
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** An answer of the service's, or one of the SDK's own: no credentials, no network. */
function isOfAws(error: unknown): error is Error {
  return error instanceof Error && ("$metadata" in error || /Provider(Error)?$/.test(error.name));
}
