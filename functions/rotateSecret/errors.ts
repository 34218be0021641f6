import { LoggedError } from "../shared/loggedError";

/**
 * The errors of a rotation of the password, one class for each. Only operators see them, so the message is the detail.
 */
export abstract class RotationError extends LoggedError {
  constructor(code: string, detail: string, cause?: unknown) {
    super(code, `${detail} (${code})`, detail, cause);
  }
}

/** The function was deployed without an address that it needs. */
export class EnvironmentIncomplete extends RotationError {
  constructor(names: readonly string[]) {
    const detail = `The environment variables ${names.join(", ")} are missing or invalid; deploy the function again`;
    super("ENVIRONMENT_INCOMPLETE", detail);
  }
}

/** The event is not one that Secrets Manager sends to a rotation function. */
export class EventMalformed extends RotationError {
  constructor(problem: string) {
    const expected = "expected Step, SecretId and ClientRequestToken, as Secrets Manager sends them";
    super("EVENT_MALFORMED", `${problem}; ${expected}`);
  }
}

/** The version to rotate to is neither pending nor current: there is no such rotation, or it was given up. */
export class VersionNotPending extends RotationError {
  constructor() {
    const detail = "The version has neither AWSPENDING nor AWSCURRENT; start a new rotation of the secret";
    super("VERSION_NOT_PENDING", detail);
  }
}

/** Secrets Manager refused, or gave no answer in time. */
export class SecretUnavailable extends RotationError {
  constructor(operation: string, cause: unknown) {
    const detail = `${operation} failed; see the cause, the role's policy and the network path to Secrets Manager`;
    super("SECRET_UNAVAILABLE", detail, cause);
  }
}

/** A version of the secret that must have a value has none. */
export class SecretEmpty extends RotationError {
  constructor(which: string) {
    super("SECRET_EMPTY", `The secret's ${which} version has no value; put one, and rotate again`);
  }
}

/** The secret is not the JSON that describes a database user. Takes no cause: a parser's message quotes the text. */
export class SecretInvalid extends RotationError {
  constructor(problem: string) {
    super("SECRET_INVALID", problem);
  }
}

/** MySQL could not be reached, or did not answer in time. A repeated rotation continues where this one stopped. */
export class DatabaseUnavailable extends RotationError {
  constructor(cause: unknown) {
    const detail =
      "MySQL could not be reached, or did not finish in time; the old password is still valid: repeat the rotation";
    super("DATABASE_UNAVAILABLE", detail, cause);
  }
}

/** MySQL accepts none of the passwords that the secret holds. */
export class AccessDenied extends RotationError {
  constructor(which: string) {
    const detail = `MySQL refuses the ${which} of the secret's user; set it as the administrator, and rotate again`;
    super("ACCESS_DENIED", detail);
  }
}

/** The user may not keep two passwords at once. */
export class PrivilegeMissing extends RotationError {
  constructor(cause: unknown) {
    const detail = "The secret's user lacks APPLICATION_PASSWORD_ADMIN; grant it as the administrator, or deploy again";
    super("PRIVILEGE_MISSING", detail, cause);
  }
}

/** MySQL refused a statement for another reason. */
export class DatabaseRefused extends RotationError {
  constructor(cause: unknown) {
    super("DATABASE_REFUSED", "MySQL refused to change the password; the cause has its code", cause);
  }
}

/** Any other error: a defect of this program. */
export class Unexpected extends RotationError {
  constructor(cause: unknown) {
    super("UNEXPECTED", "An unexpected error of this function itself; see the cause", cause);
  }
}
