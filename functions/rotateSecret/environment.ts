import type { DatabaseAddress } from "./account";
import { EnvironmentIncomplete } from "./errors";
import type { Endpoint } from "./steps";

/**
 * Reads the function's environment variables.
 * @param environment `DatabaseHost` and `DatabasePort`, where this function logs in; `SecretHost`, `SecretPort` and
 *   `SecretClusterIdentifier`, which the next version of the secret holds: the same, or those of a proxy
 * @throws EnvironmentIncomplete with the names of all that are missing or wrong
 */
export function environmentOf(environment: NodeJS.ProcessEnv): {
  readonly database: DatabaseAddress;
  readonly endpoint: Endpoint;
} {
  const faults: string[] = [];
  const word = (name: string): string => {
    const value = environment[name] ?? "";
    if (value === "") {
      faults.push(name);
    }
    return value;
  };
  const port = (name: string): number => {
    const value = Number(environment[name]);
    if (!Number.isInteger(value) || value < 1 || value > 65535) {
      faults.push(name);
    }
    return value;
  };
  const database = { host: word("DatabaseHost"), port: port("DatabasePort") };
  const endpoint = {
    host: word("SecretHost"),
    port: port("SecretPort"),
    dbClusterIdentifier: word("SecretClusterIdentifier"),
  };
  if (faults.length > 0) {
    throw new EnvironmentIncomplete(faults);
  }
  return { database, endpoint };
}
