import { schemaError } from "../../schema/error";
import { authorities } from "../shared/authorities";
import { type Handler, handlerOf } from "./handler";

/**
 * The function, made once a container. Whatever it works with comes by the event, but for what its platform has it trust
 * beyond that: nothing on AWS, this machine's own authority on the local target.
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
