import type { CreateHandler } from "../../host/resources";

/** One service of the local system, for example the MySQL server. */
export interface LocalService {
  /** Type token → handler. */
  readonly handlers: Readonly<Record<string, CreateHandler>>;
  /** Ends every server and process of the service; safe to call twice. */
  close(): Promise<void>;
}

/**
 * The handlers of all services.
 *
 * @throws Error where two services handle the same type: one of the handlers would never be called
 */
export function mergeHandlers(...all: readonly LocalService["handlers"][]): Record<string, CreateHandler> {
  const merged: Record<string, CreateHandler> = {};
  for (const [type, handler] of all.flatMap((handlers) => Object.entries(handlers))) {
    if (Object.hasOwn(merged, type)) throw new Error(`Two local services handle ${type}; only one may.`);
    merged[type] = handler;
  }
  return merged;
}

/** What every service gets: where it runs, and how it reports. */
export interface ServiceContext {
  /** Absolute path of the data folder (`.local/`). */
  readonly directory: string;
  readonly region: string;
  readonly accountId: string;
  /** The port on 127.0.0.1 that is remembered for this use (`cognito`, `mysql`, …); CommandError where it is taken. */
  port(use: string): Promise<number>;
  /** Prints a finished step or a fact on the screen; never a secret. */
  info(line: string): void;
}
