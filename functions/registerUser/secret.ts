import {
  GetSecretValueCommand,
  type GetSecretValueCommandOutput,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { SecretIncomplete, SecretNotFound, SecretNotJson, SecretUnavailable } from "./errors";

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

/** Reads the secret's current version, giving up when the signal says so. */
export type ReadSecret = (signal: AbortSignal) => Promise<DatabaseSecret>;

/**
 * A reader of the named secret through the AWS SDK, which takes the region, the credentials and, for another endpoint,
 * `AWS_ENDPOINT_URL_SECRETS_MANAGER` from the environment. It keeps nothing: what is read is kept with the connection.
 * @throws SecretNotFound, SecretUnavailable, SecretNotJson, SecretIncomplete
 */
export function createSecretReader(name: string): ReadSecret {
  const client = new SecretsManagerClient({
    maxAttempts: 3,
    // A lost packet costs one attempt of a second and not the invocation; the timers of the SDK only warn otherwise.
    requestHandler: { connectionTimeout: 500, requestTimeout: 1000, throwOnRequestTimeout: true },
  });
  return async (signal) => {
    let output: GetSecretValueCommandOutput;
    try {
      output = await client.send(new GetSecretValueCommand({ SecretId: name }), { abortSignal: signal });
    } catch (error) {
      const missing = error instanceof Error && error.name === "ResourceNotFoundException";
      throw missing ? new SecretNotFound(error) : new SecretUnavailable(error);
    }
    return parseSecret(output.SecretString);
  };
}

/**
 * Checks the secret's text; all faults of its fields come in one error, which names the fields and no value.
 * @throws SecretNotJson, SecretIncomplete
 */
export function parseSecret(text: string | undefined): DatabaseSecret {
  if (text === undefined) {
    throw new SecretNotJson("binary");
  }
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
    throw new SecretIncomplete(faults);
  }
  return secret;
}

function fieldsOf(text: string): Record<string, unknown> {
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    throw new SecretNotJson("not JSON");
  }
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) {
    throw new SecretNotJson("JSON, but no object");
  }
  return fields as Record<string, unknown>;
}
