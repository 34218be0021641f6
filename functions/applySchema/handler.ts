import { type Applied, type AppliedStep, applySchema } from "../../schema/apply";
import type { SchemaServer } from "../../schema/connection";
import { type LiveTables, readLiveTables } from "../../schema/drift";
import { schemaError } from "../../schema/error";
import type { ApplyEvent, CheckEvent } from "../../schema/plan";
import type { Invocation } from "../shared/time";

/** How long (s) to wait for a new server: it accepts connections some time after RDS reports it as available. */
const WAIT_SECONDS = 120;
/** Time (ms) kept back, so that the function can return an error before Lambda ends it. */
const RESERVE_MILLISECONDS = 10_000;

/** One line of the log. It never contains a password, or a statement with one. */
export type Line = AppliedStep | { readonly code: string; readonly [field: string]: unknown };

/** What the function needs from outside. */
export interface Dependencies {
  readonly log: (level: "info" | "error", line: Line) => void;
  /** All certificate authorities to trust, PEM text: those of the event and those of the function's own environment. */
  readonly trusted: (ofEvent: string) => string;
}

/** The function: applies a plan, or returns the definitions of the tables. @throws SchemaError */
export type Handler = (event: unknown, context: Invocation) => Promise<Applied | LiveTables>;

/** Applies the event's plan with the same runner as `SchemaFile`. Repeated and concurrent invocations are allowed. */
export function handlerOf({ log, trusted }: Dependencies): Handler {
  return async (event, context) => {
    try {
      const request = eventOf(event);
      const left = context.getRemainingTimeInMillis() - RESERVE_MILLISECONDS;
      const server: SchemaServer = {
        waitSeconds: WAIT_SECONDS,
        ...request.server,
        authorities: trusted(request.server.authorities),
        statementTimeout: left,
        until: Date.now() + left,
      };
      if ("check" in request) return await readLiveTables(server, request.database);
      return await applySchema(server, request, { onStep: (step) => log("info", step) });
    } catch (error) {
      const { message: detail, code: cause } = error as { message: string; code?: string };
      log("error", { code: "SCHEMA_FAILED", detail, ...(cause ? { cause } : {}) });
      throw withoutCause(error);
    }
  };
}

/** Lambda prints an error that the function throws; an error of the driver contains the statement. */
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
