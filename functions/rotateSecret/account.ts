import type { Connect, Connection } from "../shared/connection";
import { codeOf } from "../shared/loggedError";
import type { DatabaseSecret } from "../shared/secret";
import { DatabaseRefused, DatabaseUnavailable, PrivilegeMissing } from "./errors";

/** Time limit (ms) for connecting: TCP, TLS and the log-in. */
const CONNECT_MILLISECONDS = 5000;

/** The database user of the secret, logged in. */
export interface Account {
  /**
   * Sets another password for the user. The password of this log-in stays valid beside it. MySQL refuses any third one
   * from then on, such as the one that the last rotation kept.
   * @throws PrivilegeMissing, DatabaseUnavailable, DatabaseRefused
   */
  addPassword(password: string): Promise<void>;
  /**
   * Sets the password of this log-in once more, which clears MySQL's cache of passwords that were accepted. The cache
   * can contain a password that was removed while a client was logging in with it.
   * {@link https://dev.mysql.com/doc/refman/8.4/en/caching-sha2-pluggable-authentication.html#caching-sha2-pluggable-authentication-cache-operation}
   * @throws PrivilegeMissing, DatabaseUnavailable, DatabaseRefused
   */
  repeatPassword(): Promise<void>;
  /** Logs out. */
  close(): void;
}

/** Address of the database itself, not of a proxy: a proxy accepts the current password only. */
export interface DatabaseAddress {
  /** A host name of the server's certificate. */
  readonly host: string;
  readonly port: number;
}

/** Logs the secret's user in; undefined where MySQL refuses the password. @throws DatabaseUnavailable */
export type LogIn = (secret: DatabaseSecret) => Promise<Account | undefined>;

/**
 * Logs in as the registration function does, by TLS and with the server verified, but always at the database itself,
 * even if the secret has another address.
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
      throw rotationErrorOf(error);
    }
  };
  const identifyBy = async (...passwords: string[]): Promise<void> => {
    // `literal` needs a mode without NO_BACKSLASH_ESCAPES: then a backslash escapes in a literal.
    await run("SET SESSION sql_mode = ''");
    for (const password of passwords) {
      await run(`ALTER USER USER() IDENTIFIED BY ${password}`);
    }
  };
  return {
    // RETAIN turns the primary password into the secondary one. So the password of this log-in is made the primary one
    // first: a rotation that was given up may have left its own password as the primary one, and this one as the
    // secondary. Without RETAIN the secondary password stays as it is.
    addPassword: (password) => identifyBy(literal(ownPassword), `${literal(password)} RETAIN CURRENT PASSWORD`),
    repeatPassword: () => identifyBy(literal(ownPassword)),
    close: () => connection.destroy(),
  };
}

/** MySQL allows no placeholder for a password. */
function literal(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}

function rotationErrorOf(error: unknown) {
  const cause = withoutStatement(error);
  const code = codeOf(error);
  if (code === "ER_SPECIFIC_ACCESS_DENIED_ERROR") {
    return new PrivilegeMissing(cause);
  }
  // An error of the server itself has a number; any other means that the connection was lost or the time was up.
  return typeof (error as { errno?: unknown }).errno === "number" && String(code).startsWith("ER_")
    ? new DatabaseRefused(cause)
    : new DatabaseUnavailable(cause);
}

/** The driver's errors contain the statement, and with it the password; so only the code is passed on. */
function withoutStatement(error: unknown): Error {
  const { name } = error instanceof Error ? error : { name: "Error" };
  return Object.assign(new Error("See the code"), { name, code: codeOf(error) });
}
