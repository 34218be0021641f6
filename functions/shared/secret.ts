/** The engines whose protocol the driver speaks. */
const ENGINES = ["mysql", "aurora-mysql"];

/** What `ecommerce_secret` holds: the six keys of the documents (S4). */
export interface DatabaseSecret {
  readonly username: string;
  readonly password: string;
  readonly engine: string;
  /** A host name that stands in the server's certificate. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
  readonly dbClusterIdentifier: string;
}

/** The secret is no text that describes a database user. */
export class SecretMalformed extends Error {
  /** Whether it is a JSON object at least, and only its fields are wrong. */
  readonly isJson: boolean;

  /** @param message names fields and no value. There is no cause: the parser's own message quotes what it cannot read. */
  constructor(message: string, isJson: boolean) {
    super(message);
    this.isJson = isJson;
  }
}

/**
 * Checks the secret's text; all faults of its fields come in one error, which names the fields and no value.
 * @throws SecretMalformed
 */
export function parseSecret(text: string | undefined): DatabaseSecret {
  const fields = fieldsOf(text);
  const faults: string[] = [];
  const word = (key: string): string => {
    const value = fields[key];
    if (typeof value === "string" && value !== "") {
      return value;
    }
    faults.push(`${key} must be a non-empty string`);
    return "";
  };
  const secret = {
    username: word("username"),
    password: word("password"),
    engine: word("engine"),
    host: word("host"),
    // RDS writes a number, the console's form a text.
    port: Number(fields.port),
    dbClusterIdentifier: word("dbClusterIdentifier"),
  };
  if (secret.engine !== "" && !ENGINES.includes(secret.engine)) {
    faults.push(`engine must be ${ENGINES.join(" or ")}`);
  }
  if (!/^[1-9]\d{0,4}$/.test(String(fields.port)) || secret.port > 65_535) {
    faults.push("port must be a whole number from 1 to 65535");
  }
  if (faults.length > 0) {
    throw new SecretMalformed(`The secret's fields are wrong: ${faults.join("; ")}`, true);
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
      got = "JSON, but no object";
    } catch {
      got = "not JSON";
    }
  }
  throw new SecretMalformed(`The secret is ${got}; it must be text that holds one JSON object`, false);
}
