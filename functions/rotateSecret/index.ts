import { createConnect } from "../shared/connection";
import { sleep } from "../shared/time";
import { logInBy } from "./account";
import { environmentOf } from "./environment";
import { type Handler, handlerOf, type Line } from "./handler";
import { newPassword } from "./password";
import { secretsManagerVersions } from "./versions";

/**
 * Creates the function with its real dependencies, once for each container.
 * @param environment `NODE_EXTRA_CA_CERTS`, the variables of `environmentOf`, and the AWS SDK's own
 * @throws EnvironmentIncomplete
 */
export function createHandler(environment: NodeJS.ProcessEnv = process.env): Handler {
  const log = (level: "info" | "error", line: Line) => console[level](line);
  const { database, endpoint } = environmentOf(environment);
  const logIn = logInBy(createConnect(environment), database);
  return handlerOf({ versions: secretsManagerVersions(), logIn, endpoint, newPassword, pause: sleep, log });
}
