import { schemaError } from "../../schema/error";
import { authorities } from "../shared/caCertificates";
import { type Handler, handlerOf } from "./handler";

/**
 * Creates the function, once for each container. All its inputs are in the event, except further certificate
 * authorities to trust: none on AWS, this machine's own authority on the local target.
 * @param environment `NODE_EXTRA_CA_CERTS` is read
 */
export function createHandler(environment: NodeJS.ProcessEnv = process.env): Handler {
  const trusted = (ofEvent: string) => {
    try {
      return authorities([ofEvent], environment.NODE_EXTRA_CA_CERTS).join("\n");
    } catch (error) {
      throw schemaError((error as Error).message, { cause: error });
    }
  };
  return handlerOf({ trusted, log: (level, line) => console[level](line) });
}
