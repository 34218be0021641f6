/** The engines that the driver supports. */
const ENGINES = ["mysql", "aurora-mysql"];

/** What `ecommerce_secret` holds: the six keys of the documents (S4). */
export interface DatabaseSecret {
  readonly username: string;
  readonly password: string;
  readonly engine: string;
  /** A host name of the server's certificate. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
  readonly dbClusterIdentifier: string;
}

/** The secret is not a text that describes a database user. */
export class SecretMalformed extends Error {
  /** True if the secret is a JSON object, and only its fields are wrong. */
  readonly isJson: boolean;

  /** @param message names fields, but no value. There is no cause, because the parser's own message quotes the text. */
  constructor(message: string, isJson: boolean) {
    super(message);
    this.isJson = isJson;
  }
}

/**
 * Parses and checks the secret's text. One error reports all wrong fields; it names the fields, but no value.
 * @throws SecretMalformed
 */
export function parseSecret(text: string | undefined): DatabaseSecret {
  const fields = fieldsOf(text);
  const issues: string[] = [];
  const textOf = (key: string): string => {
    const value = fields[key];
    if (typeof value === "string" && value !== "") {
      return value;
    }
    issues.push(`${key} must be a non-empty string`);
    return "";
  };
  const secret = {
    username: textOf("username"),
    password: textOf("password"),
    engine: textOf("engine"),
    host: textOf("host"),
    // RDS writes a number, the form of the console a string.
    port: Number(fields.port),
    dbClusterIdentifier: textOf("dbClusterIdentifier"),
  };
  if (secret.engine !== "" && !ENGINES.includes(secret.engine)) {
    issues.push(`engine must be ${ENGINES.join(" or ")}`);
  }
  if (!/^[1-9]\d{0,4}$/.test(String(fields.port)) || secret.port > 65_535) {
    issues.push("port must be a whole number from 1 to 65535");
  }
  if (issues.length > 0) {
    throw new SecretMalformed(`The secret's fields are wrong: ${issues.join("; ")}`, true);
  }
  return secret;
}

/** @throws SecretMalformed */
function fieldsOf(text: string | undefined): Readonly<Record<string, unknown>> {
  let got = "binary";
  if (text !== undefined) {
    try {
      const fields: unknown = JSON.parse(text);
      if (typeof fields === "object" && fields !== null && !Array.isArray(fields)) {
        return fields as Readonly<Record<string, unknown>>;
      }
      got = "JSON, but not an object";
    } catch {
      got = "not JSON";
    }
  }
  throw new SecretMalformed(`The secret is ${got}; it must be text that holds one JSON object`, false);
}
