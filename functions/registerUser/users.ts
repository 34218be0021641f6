import type { Connection } from "../shared/connection";
import type { User } from "../shared/event";
import type { RemainingTime } from "../shared/time";
import type { Database } from "./database";
import { EmailConflict } from "./errors";

/**
 * The server's UTC clock dates every row: one clock for all containers, independent of their own clocks and of the
 * session's time zone. A plain INSERT, because IGNORE and ON DUPLICATE KEY UPDATE would hide that the address belongs
 * to another user.
 */
const INSERT = "INSERT INTO ecommerce_db.users (User_UUID, User_Email, User_DateAdd) VALUES (?, ?, UTC_TIMESTAMP())";

/**
 * The same for a confirmation that already has a date, because it waited in a queue. The date comes from the clock of
 * the container that queued it, which may be wrong; so the row is never dated later than now.
 */
const INSERT_DATED =
  "INSERT INTO ecommerce_db.users (User_UUID, User_Email, User_DateAdd) " +
  "VALUES (?, ?, LEAST(CAST(? AS DATETIME), UTC_TIMESTAMP()))";

const FIND = "SELECT User_UUID FROM ecommerce_db.users WHERE User_UUID = ?";

/**
 * The table `ecommerce_db.users`. It needs `INSERT (User_UUID, User_Email, User_DateAdd)` and `SELECT (User_UUID)`.
 *
 * An existing row is never changed: this class registers users. It does not follow later changes of the address in
 * Cognito.
 */
export class Users {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Makes the user's row unless it exists. It sends one statement if the row is missing, two if it exists.
   * @throws EmailConflict, and what `Database.run` throws
   */
  register(user: User, left: RemainingTime): Promise<void> {
    return this.#database.run((connection) => insert(connection, user, left), left);
  }

  /**
   * The same for a user who is expected to have a row. It sends one statement if the row exists, two if it is missing.
   * @returns whether the row was missing
   * @throws as `register`
   */
  catchUp(user: User, left: RemainingTime): Promise<boolean> {
    return this.#database.run(async (connection) => {
      const missing = !(await exists(connection, user, left));
      if (missing) {
        await insert(connection, user, left);
      }
      return missing;
    }, left);
  }
}

async function insert(connection: Connection, user: User, left: RemainingTime): Promise<void> {
  try {
    if (user.confirmedAt) {
      await connection.execute(INSERT_DATED, [user.sub, user.email, datetime(user.confirmedAt)], left);
    } else {
      await connection.execute(INSERT, [user.sub, user.email], left);
    }
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ER_DUP_ENTRY") {
      throw error;
    }
    // Either key may be the duplicate. MySQL names it in the message only, which a program should not parse.
    if (!(await exists(connection, user, left))) {
      throw new EmailConflict();
    }
  }
}

/**
 * The time in MySQL's DATETIME format, in UTC. The fraction is cut off, because MySQL could round it up into the
 * future.
 */
function datetime(time: Date): string {
  return time.toISOString().slice(0, 19).replace("T", " ");
}

async function exists(connection: Connection, user: User, left: RemainingTime): Promise<boolean> {
  const rows = await connection.execute(FIND, [user.sub], left);
  return Array.isArray(rows) && rows.length > 0;
}
