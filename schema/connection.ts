/** Connections of the schema runner: always encrypted, always verified, always with a time limit. */
import type { Connection } from "mysql2/promise";
import { schemaError } from "./error";

/** The server that a schema is applied to, and who applies it. */
export interface SchemaServer {
  /** Host name; the server's certificate must be issued for it. mysql2 checks an IP address as `localhost`. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** The certificate authorities to trust, PEM text, any number in sequence. No others are trusted. */
  readonly authorities: string;
  /** How long to wait for a server that is still starting, in seconds. @default 0 (one attempt) */
  readonly waitSeconds?: number;
  /** Longest time for one attempt to connect, in milliseconds. @default 10000 */
  readonly connectTimeout?: number;
  /** Longest time for one statement, in milliseconds. @default 60000 */
  readonly statementTimeout?: number;
  /** When everything must have ended, in milliseconds since 1970. @default never */
  readonly until?: number;
}

/**
 * Longest wait for another client's lock on a table, in seconds. While the definition of a table waits, all later
 * statements on that table wait too, so it gives up soon; MySQL's own default is a year.
 */
const longestLockWait = 30;

/** Codes of the network and of MySQL while a server starts, restarts or has no free connection. */
const transientCodes = [
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "PROTOCOL_CONNECTION_LOST",
  "ER_CON_COUNT_ERROR",
  "ER_SERVER_SHUTDOWN",
];

/**
 * Opens a connection, passes it to `work` and closes it in any case.
 *
 * @throws SchemaError if the server cannot be reached in time, cannot be verified, or refuses the user
 */
export async function withConnection<T>(
  server: SchemaServer,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await connect(server);
  try {
    // The tokenizer reads files by these rules, so the server must too.
    await run(connection, server, "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'");
    const lockWait = Math.min(longestLockWait, Math.max(1, Math.floor(timeFor(server) / 2000)));
    await run(connection, server, `SET SESSION lock_wait_timeout = ${lockWait}`);
    return await work(connection);
  } finally {
    // Not end(), which waits for a server that hangs.
    connection.destroy();
  }
}

/**
 * Sends one statement and waits no longer than the server's `statementTimeout`.
 *
 * @param values take the places of the `?` in the statement, quoted
 */
export async function run(
  connection: Connection,
  server: SchemaServer,
  sql: string,
  values: readonly unknown[] = [],
): Promise<unknown> {
  // Without `values` nothing is replaced: a file's own question marks stay.
  const placeholders = values.length > 0 ? { values: [...values] } : {};
  const [result] = await connection.query({ sql, timeout: timeFor(server), ...placeholders });
  return result;
}

/** Time limit for one statement that begins now, in milliseconds; at least 1, because 0 would mean no limit. */
export function timeFor({ statementTimeout = 60_000, until = Number.POSITIVE_INFINITY }: SchemaServer): number {
  return Math.max(1, Math.min(statementTimeout, until - Date.now()));
}

/** The code that Node, mysql2 or MySQL gave an error, `""` if there is none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

async function connect(server: SchemaServer): Promise<Connection> {
  const deadline = Math.min(Date.now() + (server.waitSeconds ?? 0) * 1000, server.until ?? Number.POSITIVE_INFINITY);
  for (let pause = 250; ; pause = Math.min(pause * 2, 5000)) {
    try {
      return await attempt(server);
    } catch (error) {
      const left = deadline - Date.now();
      if (left <= 0 || !transientCodes.includes(codeOf(error))) throw unreachable(server, error);
      await new Promise((resolve) => setTimeout(resolve, Math.min(pause, left)));
    }
  }
}

async function attempt(server: SchemaServer): Promise<Connection> {
  // Required here, not at the top: Pulumi serializes this function, and would serialize a captured module by value.
  const { createConnection } = require("mysql2/promise") as typeof import("mysql2/promise");
  return createConnection({
    host: server.host,
    port: server.port,
    user: server.user,
    password: server.password,
    charset: "utf8mb4",
    connectTimeout: server.connectTimeout ?? 10_000,
    // mysql2 checks the host name only with `verifyIdentity`.
    ssl: { ca: server.authorities, rejectUnauthorized: true, verifyIdentity: true, minVersion: "TLSv1.2" },
  });
}

function unreachable(server: SchemaServer, error: unknown): Error {
  const code = codeOf(error);
  const reason = error instanceof Error ? error.message || code : String(error);
  const where = `MySQL at ${server.host}:${server.port}`;
  if (transientCodes.includes(code)) {
    return schemaError(
      `Cannot reach ${where} (waited ${server.waitSeconds ?? 0} s): ${reason}. ` +
        "Check that the server runs and that its security group or firewall lets this machine in.",
      { code, cause: error },
    );
  }
  if (code.startsWith("ER_")) {
    return schemaError(`${where} refused the user ${server.user}: ${reason}`, { code, cause: error });
  }
  return schemaError(
    `No trusted connection to ${where}: ${reason}. Its certificate must be made out to this host name and be signed by ` +
      "one of the authorities that the program passes on.",
    { code, cause: error },
  );
}
