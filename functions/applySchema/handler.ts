import { type Applied, applySchema, type Fact } from "../../schema/apply";
import type { SchemaServer } from "../../schema/connection";
import { type LiveTables, readLiveTables } from "../../schema/drift";
import { schemaError } from "../../schema/error";
import type { ApplyEvent, CheckEvent } from "../../schema/plan";
import type { Invocation } from "../shared/time";

/** A server that is just being made answers within so many seconds after RDS calls it available. */
const WAIT_SECONDS = 120;
/** Kept for the answer, so that a fault is told before Lambda ends the function. */
const RESERVE_MILLISECONDS = 10_000;

/** One line of the log; never with a password or a statement about one. */
export type Line = Fact | { readonly code: string; readonly [field: string]: unknown };

/** What the function needs from outside. */
export interface Dependencies {
  readonly log: (level: "info" | "error", line: Line) => void;
  /** All authorities to trust, PEM text: those of the event, and those that the function's own environment names. */
  readonly trusted: (ofEvent: string) => string;
}

/** The function: applies a plan, or tells how the tables are. @throws SchemaError */
export type Handler = (event: unknown, context: Invocation) => Promise<Applied | LiveTables>;

/** Makes what the event plans by the runner that `SchemaFile` uses. It may be invoked any number of times, also at once. */
export function handlerOf({ log, trusted }: Dependencies): Handler {
  return async (event, context) => {
    try {
      const known = eventOf(event);
      const left = context.getRemainingTimeInMillis() - RESERVE_MILLISECONDS;
      const server: SchemaServer = {
        waitSeconds: WAIT_SECONDS,
        ...known.server,
        authorities: trusted(known.server.authorities),
        statementTimeout: left,
        until: Date.now() + left,
      };
      if ("check" in known) return await readLiveTables(server, known.database);
      return await applySchema(server, known, { tell: (fact) => log("info", fact) });
    } catch (error) {
      const { message: detail, code: cause } = error as { message: string; code?: string };
      log("error", { code: "SCHEMA_FAILED", detail, ...(cause ? { cause } : {}) });
      throw withoutCause(error);
    }
  };
}

/** Lambda prints what it is thrown, and a driver's error has the statement with it. */
function withoutCause(error: unknown): Error {
  const { message, name, stack } = error as Error;
  return Object.assign(new Error(message), { name, stack });
}

type Fields = Readonly<Record<string, unknown>>;

/** @throws SchemaError naming what is missing, never a value */
function eventOf(event: unknown): ApplyEvent | CheckEvent {
  const { check } = (event ?? {}) as { check?: unknown };
  const needed = ["server.host", "server.port", "server.user", "server.password", "server.authorities", "database"];
  if (check !== true) needed.push("sql", "migrations", "user.name", "user.password", "user.privileges");
  const at = (path: string) =>
    path.split(".").reduce<unknown>((value, key) => (value as Fields | undefined)?.[key], event ?? {});
  const missing = needed.filter((path) => (at(path) ?? undefined) === undefined);
  if (missing.length > 0) {
    throw schemaError(`The event lacks ${missing.join(", ")}. This function is invoked by the program's deployment.`);
  }
  return event as ApplyEvent | CheckEvent;
}
