import { LoggedError } from "./loggedError";

/**
 * Everything that can go wrong on a confirmed user's way into the database, one class a fault: here what more than one
 * function meets, the rest in the functions' own `errors.ts`.
 *
 * Cognito shows `message` to the person who signs up ("PostConfirmation failed with error <message>."), so it has no full
 * stop at its end and holds nothing a stranger may not read.
 */
export abstract class RegistrationError extends LoggedError {}

/** A fault that is ours: the account exists, the row is made at a later sign-in, and that is what the person is told. */
export abstract class OurFault extends RegistrationError {
  constructor(code: string, detail: string, cause?: unknown) {
    const messageForPerson = `Your account is confirmed but not registered completely yet; signing in will complete it (${code})`;
    super(code, messageForPerson, detail, cause);
  }
}

/** The event is not one that Cognito sends. */
export class EventMalformed extends RegistrationError {
  constructor(fault: string) {
    const messageForPerson = "The confirmation could not be understood (EVENT_MALFORMED)";
    const detail = `${fault}; expected an event of a Cognito user pool's trigger`;
    super("EVENT_MALFORMED", messageForPerson, detail);
  }
}

/** The function was attached to a trigger that it does not serve. */
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

/** The attribute `email` is missing, or nothing that `User_Email` can hold. */
export class EmailInvalid extends RegistrationError {
  constructor(got: string, allowed: string) {
    const messageForPerson = `The e-mail address is ${got}; ${allowed}`;
    super("EMAIL_INVALID", messageForPerson, `The attribute email is ${got}; ${allowed}`);
  }
}

/** Anything nobody thought of: a fault of this program. */
export class Unexpected extends OurFault {
  constructor(cause: unknown) {
    super("UNEXPECTED", "A fault of this function itself; see the cause", cause);
  }
}

/** The error itself where it is one of these, and `Unexpected` because of it where it is anything else. */
export function registrationErrorOf(error: unknown): RegistrationError {
  return error instanceof RegistrationError ? error : new Unexpected(error);
}
