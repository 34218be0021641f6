import { createConnect } from "../registerUser/connection";
import { logInBy } from "./account";
import { type Handler, handlerOf, type Line } from "./handler";
import { newPassword } from "./password";
import { secretsManagerVersions } from "./versions";

/**
 * The function with all its real parts, made once a container.
 * @param environment `AWS_REGION`, `NODE_EXTRA_CA_CERTS`, and the AWS SDK's own
 */
export function createHandler(environment: NodeJS.ProcessEnv = process.env): Handler {
  const log = (level: "info" | "error", line: Line) => console[level](line);
  const versions = secretsManagerVersions();
  return handlerOf({ versions, logIn: logInBy(createConnect(environment)), newPassword, log });
}
