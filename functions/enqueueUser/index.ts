import { consoleLog } from "../shared/log";
import { QueueUrlMissing } from "./errors";
import { type Handler, handlerOf } from "./handler";
import { createSend } from "./queue";

/**
 * Creates the function with its real dependencies, once for each container. Never throws: the invocation that needs a
 * missing setting fails instead.
 * @param environment `QueueUrl` names the queue; further variables: the AWS SDK's own
 */
export function createHandler(environment: NodeJS.ProcessEnv = process.env): Handler {
  const { QueueUrl } = environment;
  const send = QueueUrl ? createSend(QueueUrl) : () => Promise.reject(new QueueUrlMissing());
  return handlerOf({ send, log: consoleLog, now: () => new Date(), uptime: () => performance.now() });
}
