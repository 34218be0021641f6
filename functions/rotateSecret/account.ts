import type { Connect, Connection } from "../shared/connection";
import { codeOf } from "../shared/loggedError";
import type { DatabaseSecret } from "../shared/secret";
import { DatabaseRefused, DatabaseUnavailable, PrivilegeMissing } from "./errors";

/** Connecting may take so long (ms): TCP, TLS and the log-in. */
const CONNECT_MILLISECONDS = 5000;

/** The database user of the secret, logged in. */
export interface Account {
  /**
   * Makes another password the user's, and keeps the one that it was logged in with good beside it. Any third one, such
   * as the last rotation kept, is refused from then on.
   * @throws PrivilegeMissing, DatabaseUnavailable, DatabaseRefused
   */
  addPassword(password: string): Promise<void>;
  /**
   * Makes the password of this log-in the user's once more, which has MySQL forget who logged in with what: it remembers
   * passwords that were good, and also one that was taken away while somebody was logging in with it.
   * {@link https://dev.mysql.com/doc/refman/8.4/en/caching-sha2-pluggable-authentication.html#caching-sha2-pluggable-authentication-cache-operation}
   * @throws PrivilegeMissing, DatabaseUnavailable, DatabaseRefused
   */
  repeatPassword(): Promise<void>;
  /** Logs out. */
  close(): void;
}

/** Where the database itself answers: not a proxy, which knows the current password only. */
export interface DatabaseAddress {
  /** A host name that stands in the server's certificate. */
  readonly host: string;
  readonly port: number;
}

/** Logs the secret's user in; undefined where MySQL refuses the password. @throws DatabaseUnavailable */
export type LogIn = (secret: DatabaseSecret) => Promise<Account | undefined>;

/**
 * Logs in as the registration function does, by TLS and with the server verified, but at the database itself, wherever
 * the secret sends the function.
 *
 * A MySQL user may have two passwords, a primary and a secondary one, and change its own.
 * {@link https://dev.mysql.com/doc/refman/8.4/en/password-management.html#dual-passwords}
 */
export function logInBy(connect: Connect, database: DatabaseAddress): LogIn {
  return async (secret) => {
    let connection: Connection;
    try {
      connection = await connect({ ...secret, ...database }, CONNECT_MILLISECONDS);
    } catch (error) {
      if (codeOf(error) === "ER_ACCESS_DENIED_ERROR") {
        return undefined;
      }
      throw new DatabaseUnavailable(withoutStatement(error));
    }
    return accountOn(connection, secret.password);
  };
}

function accountOn(connection: Connection, ownPassword: string): Account {
  const run = async (statement: string): Promise<void> => {
    try {
      await connection.execute(statement, [], () => Number.POSITIVE_INFINITY);
    } catch (error) {
      throw faultOf(error);
    }
  };
  const identifyBy = async (...passwords: string[]): Promise<void> => {
    // In this mode, and in no other, a backslash escapes in a literal.
    await run("SET SESSION sql_mode = ''");
    for (const password of passwords) {
      await run(`ALTER USER USER() IDENTIFIED BY ${password}`);
    }
  };
  return {
    // RETAIN keeps the primary password, in the place of the secondary one. It need not be the one of this log-in: a
    // rotation that was given up may have left its own there, and this one as the secondary. Without RETAIN the
    // secondary password stays as it is.
    addPassword: (password) => identifyBy(literal(ownPassword), `${literal(password)} RETAIN CURRENT PASSWORD`),
    repeatPassword: () => identifyBy(literal(ownPassword)),
    close: () => connection.destroy(),
  };
}

/** MySQL takes no placeholder for a password. */
function literal(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}

function faultOf(error: unknown) {
  const cause = withoutStatement(error);
  const code = codeOf(error);
  if (code === "ER_SPECIFIC_ACCESS_DENIED_ERROR") {
    return new PrivilegeMissing(cause);
  }
  // What the server itself refused has a number; without one, the connection was lost or the time was up.
  return typeof (error as { errno?: unknown }).errno === "number" && String(code).startsWith("ER_")
    ? new DatabaseRefused(cause)
    : new DatabaseUnavailable(cause);
}

/** The driver's errors carry the statement, and with it the password; only the code goes any further. */
function withoutStatement(error: unknown): Error {
  const { name } = error instanceof Error ? error : { name: "Error" };
  return Object.assign(new Error("See the code"), { name, code: codeOf(error) });
}
