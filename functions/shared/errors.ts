import { LoggedError } from "./loggedError";

/**
 * The errors of a registration, one class for each. Those of more than one function are here, the others in the
 * functions' own `errors.ts`.
 *
 * Cognito shows `message` to the person who signs up ("PostConfirmation failed with error <message>."), so it has no full
 * stop at its end and contains nothing that a stranger may not read.
 */
export abstract class RegistrationError extends LoggedError {}

/**
 * An error that the person did not cause. The message says that the account exists and that a sign-in will complete it.
 */
export abstract class InternalError extends RegistrationError {
  constructor(code: string, detail: string, cause?: unknown) {
    const messageForPerson = `Your account is confirmed but not registered completely yet; signing in will complete it (${code})`;
    super(code, messageForPerson, detail, cause);
  }
}

/** The event is not one that Cognito sends. */
export class EventMalformed extends RegistrationError {
  constructor(problem: string) {
    const messageForPerson = "The confirmation could not be understood (EVENT_MALFORMED)";
    const detail = `${problem}; expected an event of a Cognito user pool's trigger`;
    super("EVENT_MALFORMED", messageForPerson, detail);
  }
}

/** The function was attached to a trigger that it does not handle. */
export class TriggerUnknown extends RegistrationError {
  constructor() {
    const messageForPerson = "The confirmation could not be understood (TRIGGER_UNKNOWN)";
    const detail = "Only the triggers post confirmation and post authentication are served; detach the others";
    super("TRIGGER_UNKNOWN", messageForPerson, detail);
  }
}

/** The attribute `sub` is missing or not a UUID. */
export class SubInvalid extends RegistrationError {
  constructor(got: string) {
    const messageForPerson = "The account has no valid identifier (SUB_INVALID)";
    const detail = `The attribute sub is ${got}; it must be a UUID of 36 characters`;
    super("SUB_INVALID", messageForPerson, detail);
  }
}

/** The attribute `email` is missing, or is a value that `User_Email` cannot hold. */
export class EmailInvalid extends RegistrationError {
  constructor(got: string, allowed: string) {
    const messageForPerson = `The e-mail address is ${got}; ${allowed}`;
    super("EMAIL_INVALID", messageForPerson, `The attribute email is ${got}; ${allowed}`);
  }
}

/** Any other error: a defect of this program. */
export class Unexpected extends InternalError {
  constructor(cause: unknown) {
    super("UNEXPECTED", "An unexpected error of this function itself; see the cause", cause);
  }
}

/** The error itself if it is a RegistrationError, otherwise `Unexpected` with the error as its cause. */
export function registrationErrorOf(error: unknown): RegistrationError {
  return error instanceof RegistrationError ? error : new Unexpected(error);
}
