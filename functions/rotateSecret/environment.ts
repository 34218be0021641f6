import type { DatabaseAddress } from "./account";
import { EnvironmentIncomplete } from "./errors";
import type { Endpoint } from "./steps";

/**
 * Reads the function's environment variables.
 * @param environment `DatabaseHost` and `DatabasePort`, where this function logs in; `SecretHost`, `SecretPort` and
 *   `SecretClusterIdentifier`, the values for the next version of the secret: the same address, or that of a proxy
 * @throws EnvironmentIncomplete with the names of all variables that are missing or invalid
 */
export function environmentOf(environment: NodeJS.ProcessEnv): {
  readonly database: DatabaseAddress;
  readonly endpoint: Endpoint;
} {
  const invalid: string[] = [];
  const text = (name: string): string => {
    const value = environment[name] ?? "";
    if (value === "") {
      invalid.push(name);
    }
    return value;
  };
  const port = (name: string): number => {
    const value = Number(environment[name]);
    if (!Number.isInteger(value) || value < 1 || value > 65535) {
      invalid.push(name);
    }
    return value;
  };
  const database = { host: text("DatabaseHost"), port: port("DatabasePort") };
  const endpoint = {
    host: text("SecretHost"),
    port: port("SecretPort"),
    dbClusterIdentifier: text("SecretClusterIdentifier"),
  };
  if (invalid.length > 0) {
    throw new EnvironmentIncomplete(invalid);
  }
  return { database, endpoint };
}
