import { type Handler, handlerOf } from "./handler";

/** The function, made once a container. Whatever it works with comes by the event. */
export function createHandler(): Handler {
  return handlerOf({ log: (level, line) => console[level](line) });
}
