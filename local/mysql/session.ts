/** One connection for a few statements. Its errors never contain the statement, which may contain a password. */
import { type Connection, type ConnectionOptions, createConnection, type RowDataPacket } from "mysql2/promise";
import { CommandError } from "../../cli/commandError";

export interface Session {
  /** @throws StatementError that begins with `what`, which could not be done, and ends with MySQL's own message */
  run(what: string, statement: string): Promise<RowDataPacket[]>;
}

/** An error of MySQL, without the statement. */
export class StatementError extends CommandError {
  /** MySQL's error number, such as 1193. */
  readonly number: number | undefined;

  constructor(what: string, error: Error & { errno?: number }) {
    super(`${what}: ${error.message}`);
    this.number = error.errno;
  }
}

/**
 * Connects, runs `work`, disconnects.
 * @param who whose connection it is, for the error message
 */
export async function withSession<T>(
  who: string,
  options: ConnectionOptions,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  let connection: Connection;
  try {
    connection = await createConnection({ connectTimeout: 10_000, ...options });
  } catch (error) {
    throw new StatementError(`${who} cannot connect to ${options.host}:${options.port}`, error as Error);
  }
  try {
    return await work({
      run: async (what, statement) => {
        try {
          const [rows] = await connection.query<RowDataPacket[]>(statement);
          return rows;
        } catch (error) {
          throw new StatementError(what, error as Error);
        }
      },
    });
  } finally {
    await connection.end().catch(() => connection.destroy());
  }
}
