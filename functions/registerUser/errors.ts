import type { AuthoritiesUnreadable as FileUnreadable } from "../shared/authorities";
import { OurFault, RegistrationError } from "../shared/errors";

/** The environment variable `SecretName` is unset or empty. */
export class SecretNameMissing extends OurFault {
  constructor() {
    const detail = "The environment variable SecretName is unset or empty; set it to the name of the database's secret";
    super("SECRET_NAME_MISSING", detail);
  }
}

/** Secrets Manager has no secret of that name, or none with a current version. */
export class SecretNotFound extends OurFault {
  constructor(cause: unknown) {
    const detail = "Secrets Manager has no such secret in this region; compare SecretName with the secret's name";
    super("SECRET_NOT_FOUND", detail, cause);
  }
}

/** The secret exists or may exist, but could not be read: refused, throttled, or no answer in time. */
export class SecretUnavailable extends OurFault {
  constructor(cause: unknown) {
    const detail = "The secret could not be read; check the role's secretsmanager:GetSecretValue and the way to it";
    super("SECRET_UNAVAILABLE", detail, cause);
  }
}

/** The secret is not a JSON object. */
export class SecretNotJson extends OurFault {
  constructor(detail: string) {
    super("SECRET_NOT_JSON", detail);
  }
}

/** The secret is JSON, but fields are missing or of the wrong kind. */
export class SecretIncomplete extends OurFault {
  constructor(detail: string) {
    super("SECRET_INCOMPLETE", detail);
  }
}

/** The address is registered to another `sub`; that row stays as it is, and a person has to decide. */
export class EmailConflict extends RegistrationError {
  constructor() {
    const messageForPerson = "This e-mail address is already registered to another account; please contact us";
    const detail = "The address belongs to another User_UUID, whose row was left untouched; see which account is right";
    super("EMAIL_CONFLICT", messageForPerson, detail);
  }
}

/** MySQL could not be reached, or did not do its work in the time left. */
export class DatabaseUnavailable extends OurFault {
  constructor(cause: unknown) {
    const detail = "MySQL was not reached, or not done, in the time left; the cause names the last fault";
    super("DATABASE_UNAVAILABLE", detail, cause);
  }
}

/** MySQL refuses the secret's user and password, also after the secret was read again. */
export class DatabaseAccessDenied extends OurFault {
  constructor(cause: unknown) {
    const detail = "MySQL refuses the secret's user and password, read again just now; rotate the secret";
    super("DATABASE_ACCESS_DENIED", detail, cause);
  }
}

/** The server could not prove who it is, so nothing was sent to it. */
export class DatabaseUntrusted extends OurFault {
  constructor(cause: unknown) {
    const detail =
      "The server's certificate was refused, or it offers no TLS; compare the secret's host and authorities";
    super("DATABASE_UNTRUSTED", detail, cause);
  }
}

/** `NODE_EXTRA_CA_CERTS` names a file that cannot be read. */
export class AuthoritiesUnreadable extends OurFault {
  constructor({ message, cause }: FileUnreadable) {
    super("AUTHORITIES_UNREADABLE", message, cause);
  }
}

/** MySQL, or the way to it, refused for a reason that trying again does not change. */
export class DatabaseRefused extends OurFault {
  constructor(cause: unknown) {
    const detail = "MySQL or the way to it refused, and trying again would not help; the cause has the code to look up";
    super("DATABASE_REFUSED", detail, cause);
  }
}
