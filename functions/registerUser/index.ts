import { createConnect } from "../shared/connection";
import { consoleLog } from "../shared/log";
import { Database } from "./database";
import { SecretNameMissing } from "./errors";
import { type Handler, handlerOf } from "./handler";
import { createSecretReader } from "./secretReader";
import { Users } from "./users";

/**
 * Creates the function with its real dependencies, once for each container. Begins to connect, so that the first
 * invocation waits less. Never throws: the invocation that needs a missing setting or connection fails instead.
 * @param environment `SecretName` names the database's secret; further variables: `NODE_EXTRA_CA_CERTS` and the AWS
 *   SDK's own
 * @param uptime how long the container has been running (ms), @default since this process started
 */
export function createHandler(environment: NodeJS.ProcessEnv = process.env, uptime = sinceStart): Handler {
  const { SecretName } = environment;
  const readSecret = SecretName ? createSecretReader(SecretName) : () => Promise.reject(new SecretNameMissing());
  const database = new Database(readSecret, createConnect(environment));
  database.warm();
  return handlerOf({ users: new Users(database), log: consoleLog, uptime });
}

const sinceStart = () => performance.now();
