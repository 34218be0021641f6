import type { AuthoritiesUnreadable as FileUnreadable } from "../shared/caCertificates";
import { InternalError, RegistrationError } from "../shared/errors";

/** The environment variable `SecretName` is unset or empty. */
export class SecretNameMissing extends InternalError {
  constructor() {
    const detail = "The environment variable SecretName is unset or empty; set it to the name of the database's secret";
    super("SECRET_NAME_MISSING", detail);
  }
}

/** Secrets Manager has no secret of that name, or the secret has no current version. */
export class SecretNotFound extends InternalError {
  constructor(cause: unknown) {
    const detail = "Secrets Manager has no such secret in this region; compare SecretName with the secret's name";
    super("SECRET_NOT_FOUND", detail, cause);
  }
}

/** The secret could not be read: Secrets Manager refused or throttled the request, or did not answer in time. */
export class SecretUnavailable extends InternalError {
  constructor(cause: unknown) {
    const detail =
      "The secret could not be read; check the role's secretsmanager:GetSecretValue and the network path to it";
    super("SECRET_UNAVAILABLE", detail, cause);
  }
}

/** The secret is not a JSON object. */
export class SecretNotJson extends InternalError {
  constructor(detail: string) {
    super("SECRET_NOT_JSON", detail);
  }
}

/** The secret is JSON, but fields are missing or of the wrong type. */
export class SecretIncomplete extends InternalError {
  constructor(detail: string) {
    super("SECRET_INCOMPLETE", detail);
  }
}

/** The address is registered to another `sub`. That row is not changed, and an operator has to decide. */
export class EmailConflict extends RegistrationError {
  constructor() {
    const messageForPerson = "This e-mail address is already registered to another account; please contact us";
    const detail = "The address belongs to another User_UUID, whose row was left untouched; see which account is right";
    super("EMAIL_CONFLICT", messageForPerson, detail);
  }
}

/** MySQL could not be reached, or did not finish in the time left. */
export class DatabaseUnavailable extends InternalError {
  constructor(cause: unknown) {
    const detail = "MySQL could not be reached, or did not finish, in the time left; the cause names the last error";
    super("DATABASE_UNAVAILABLE", detail, cause);
  }
}

/** MySQL refuses the secret's user and password, also after the secret was read again. */
export class DatabaseAccessDenied extends InternalError {
  constructor(cause: unknown) {
    const detail = "MySQL refuses the secret's user and password, read again just now; rotate the secret";
    super("DATABASE_ACCESS_DENIED", detail, cause);
  }
}

/** The server's identity could not be verified, so neither credentials nor statements were sent to it. */
export class DatabaseUntrusted extends InternalError {
  constructor(cause: unknown) {
    const detail =
      "The server's certificate was refused, or the server offers no TLS; check the secret's host and the authorities";
    super("DATABASE_UNTRUSTED", detail, cause);
  }
}

/** `NODE_EXTRA_CA_CERTS` names a file that cannot be read. */
export class AuthoritiesUnreadable extends InternalError {
  constructor({ message, cause }: FileUnreadable) {
    super("AUTHORITIES_UNREADABLE", message, cause);
  }
}

/** MySQL, or the network path to it, refused for a reason that does not change with another attempt. */
export class DatabaseRefused extends InternalError {
  constructor(cause: unknown) {
    const detail = "MySQL or the network path to it refused, and a retry would not help; look up the code of the cause";
    super("DATABASE_REFUSED", detail, cause);
  }
}
