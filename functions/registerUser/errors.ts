/**
 * Everything that can go wrong in the function, one class a fault.
 *
 * Two readers: Cognito shows `message` to the person who signs up ("PostConfirmation failed with error <message>."),
 * so a message has no full stop at its end and holds nothing a stranger may not read; the log gets `code`, on which
 * metric filters match, and `detail`, which tells the operator what was got, what is allowed and what to do.
 * Neither may hold a password, an e-mail address or a part of the secret.
 */
export abstract class RegistrationError extends Error {
  /** Stable, in capitals; minification renames classes, so neither this nor `name` is derived from one. */
  readonly code: string;
  /** For the operator only. Not enumerable: Lambda prints the enumerable properties of an error it is thrown. */
  declare readonly detail: string;

  constructor(name: string, code: string, messageForPerson: string, detail: string, cause?: unknown) {
    super(messageForPerson, { cause });
    this.code = code;
    Object.defineProperty(this, "name", { value: name });
    Object.defineProperty(this, "detail", { value: detail });
  }
}

/** What a person is told when the fault is ours: the account exists, and the row is made at a later sign-in. */
export function later(code: string): string {
  return `Your account is confirmed but not registered completely yet; signing in will complete it (${code})`;
}

/** The environment variable `SecretName` is unset or empty. */
export class SecretNameMissing extends RegistrationError {
  constructor() {
    const code = "SECRET_NAME_MISSING";
    const detail = "The environment variable SecretName is unset or empty; set it to the name of the database's secret";
    super("SecretNameMissing", code, later(code), detail);
  }
}

/** Secrets Manager has no secret of that name, or none with a current version. */
export class SecretNotFound extends RegistrationError {
  constructor(cause: unknown) {
    const code = "SECRET_NOT_FOUND";
    const detail = "Secrets Manager has no such secret in this region; compare SecretName with the secret's name";
    super("SecretNotFound", code, later(code), detail, cause);
  }
}

/** The secret exists or may exist, but could not be read: refused, throttled, or no answer in time. */
export class SecretUnavailable extends RegistrationError {
  constructor(cause: unknown) {
    const code = "SECRET_UNAVAILABLE";
    const detail = "The secret could not be read; check the role's secretsmanager:GetSecretValue and the way to it";
    super("SecretUnavailable", code, later(code), detail, cause);
  }
}

/** The secret is not a JSON object. Takes no cause: the parser's own message quotes the text it could not read. */
export class SecretNotJson extends RegistrationError {
  constructor(got: string) {
    const code = "SECRET_NOT_JSON";
    super("SecretNotJson", code, later(code), `The secret is ${got}; it must be text that holds one JSON object`);
  }
}

/** The secret is JSON, but fields are missing or of the wrong kind. */
export class SecretIncomplete extends RegistrationError {
  constructor(faults: readonly string[]) {
    const code = "SECRET_INCOMPLETE";
    super("SecretIncomplete", code, later(code), `The secret's fields are wrong: ${faults.join("; ")}`);
  }
}

/** The event is not one that Cognito sends. */
export class EventMalformed extends RegistrationError {
  constructor(fault: string) {
    const messageForPerson = "The confirmation could not be understood (EVENT_MALFORMED)";
    super(
      "EventMalformed",
      "EVENT_MALFORMED",
      messageForPerson,
      `${fault}; expected an event of a Cognito user pool's trigger`,
    );
  }
}

/** The function was attached to a trigger that it does not serve. */
export class TriggerUnknown extends RegistrationError {
  constructor() {
    const messageForPerson = "The confirmation could not be understood (TRIGGER_UNKNOWN)";
    const detail = "Only the triggers post confirmation and post authentication are served; detach the others";
    super("TriggerUnknown", "TRIGGER_UNKNOWN", messageForPerson, detail);
  }
}

/** The attribute `sub` is missing or not a UUID. */
export class SubInvalid extends RegistrationError {
  constructor(got: string) {
    const messageForPerson = "The account has no valid identifier (SUB_INVALID)";
    super(
      "SubInvalid",
      "SUB_INVALID",
      messageForPerson,
      `The attribute sub is ${got}; it must be a UUID of 36 characters`,
    );
  }
}

/** The attribute `email` is missing, or nothing that `User_Email` can hold. */
export class EmailInvalid extends RegistrationError {
  constructor(got: string, allowed: string) {
    const messageForPerson = `The e-mail address is ${got}; ${allowed}`;
    super("EmailInvalid", "EMAIL_INVALID", messageForPerson, `The attribute email is ${got}; ${allowed}`);
  }
}

/** The address is registered to another `sub`; that row stays as it is, and a person has to decide. */
export class EmailConflict extends RegistrationError {
  constructor() {
    const messageForPerson = "This e-mail address is already registered to another account; please contact us";
    const detail = "The address belongs to another User_UUID, whose row was left untouched; see which account is right";
    super("EmailConflict", "EMAIL_CONFLICT", messageForPerson, detail);
  }
}

/** MySQL could not be reached, or did not do its work in the time left. */
export class DatabaseUnavailable extends RegistrationError {
  constructor(cause: unknown) {
    const code = "DATABASE_UNAVAILABLE";
    const detail = "MySQL was not reached, or not done, in the time left; the cause names the last fault";
    super("DatabaseUnavailable", code, later(code), detail, cause);
  }
}

/** MySQL refuses the secret's user and password, also after the secret was read again. */
export class DatabaseAccessDenied extends RegistrationError {
  constructor(cause: unknown) {
    const code = "DATABASE_ACCESS_DENIED";
    const detail = "MySQL refuses the secret's user and password, read again just now; rotate the secret";
    super("DatabaseAccessDenied", code, later(code), detail, cause);
  }
}

/** The server could not prove who it is, so it was told nothing. */
export class DatabaseUntrusted extends RegistrationError {
  constructor(cause: unknown) {
    const code = "DATABASE_UNTRUSTED";
    const detail =
      "The server's certificate was refused, or it offers no TLS; compare the secret's host and authorities";
    super("DatabaseUntrusted", code, later(code), detail, cause);
  }
}

/** `NODE_EXTRA_CA_CERTS` names a file that cannot be read. */
export class AuthoritiesUnreadable extends RegistrationError {
  constructor(cause: unknown) {
    const code = "AUTHORITIES_UNREADABLE";
    const detail = "The file that NODE_EXTRA_CA_CERTS names cannot be read; correct the variable or unset it";
    super("AuthoritiesUnreadable", code, later(code), detail, cause);
  }
}

/** MySQL, or the way to it, refused for a reason that trying again does not change. */
export class DatabaseRefused extends RegistrationError {
  constructor(cause: unknown) {
    const code = "DATABASE_REFUSED";
    const detail = "MySQL or the way to it refused, and trying again would not help; the cause has the code to look up";
    super("DatabaseRefused", code, later(code), detail, cause);
  }
}

/** Anything nobody thought of: a fault of this program. */
export class Unexpected extends RegistrationError {
  constructor(cause: unknown) {
    super("Unexpected", "UNEXPECTED", later("UNEXPECTED"), "A fault of this function itself; see the cause", cause);
  }
}
