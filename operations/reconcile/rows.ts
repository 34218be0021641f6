import type { Database } from "../../functions/registerUser/database";
import { EmailConflict } from "../../functions/registerUser/errors";
import { Users } from "../../functions/registerUser/users";
import type { User } from "../../functions/shared/event";
import type { RemainingTime } from "../../functions/shared/time";

/** The number of users in one query: a page of Cognito. */
const AT_ONCE = 60;
/** How long (ms) a step that is running may take after the signal. */
const FINISH_MILLISECONDS = 2000;

const FIND = `SELECT User_UUID FROM ecommerce_db.users WHERE User_UUID IN (${Array(AT_ONCE).fill("?").join(", ")})`;
const OWNER = "SELECT User_UUID, User_Email FROM ecommerce_db.users WHERE User_Email = ?";

/** The row of the table that has an address. */
export interface Owner {
  readonly sub: string;
  /** As it is in the table: for MySQL, addresses that differ only in case or accents are equal. */
  readonly email: string;
}

/**
 * The table `ecommerce_db.users` for this command, with the registration function's own code for the connection and for
 * registering. It needs `INSERT (User_UUID, User_Email, User_DateAdd)` and `SELECT (User_UUID, User_Email)`. Repeats a
 * step after a temporary error, such as a restart of the server.
 */
export class Rows {
  readonly #database: Database;
  readonly #users: Users;
  readonly #patience: number;
  #stopBy = Number.POSITIVE_INFINITY;

  /**
   * @param patience how long one step may take (ms), with all its repetitions
   * @param signal shortens this time to 2 s
   */
  constructor(database: Database, patience: number, signal: AbortSignal) {
    this.#database = database;
    this.#users = new Users(database);
    this.#patience = patience;
    signal.addEventListener("abort", () => {
      this.#stopBy = performance.now() + FINISH_MILLISECONDS;
    });
  }

  /**
   * Checks whether the database can be reached and read.
   * @param milliseconds how long to try
   * @throws as `Database.run`, as do all of these methods
   */
  async reach(milliseconds: number): Promise<void> {
    await this.#query(OWNER, [""], this.#within(milliseconds));
  }

  /**
   * Which of these users have a row. Runs one statement, whose text is the same for every number of users.
   * @param subs at most 60, in lower case
   */
  async registered(subs: readonly string[]): Promise<ReadonlySet<string>> {
    const [any] = subs;
    if (any === undefined) {
      return new Set();
    }
    const filler = Array<string>(AT_ONCE - subs.length).fill(any);
    const found = await this.#query(FIND, [...subs, ...filler], this.#within(this.#patience));
    return new Set(found.map(({ User_UUID }) => String(User_UUID).toLowerCase()));
  }

  /** The row that has the address, as MySQL compares addresses. */
  async ownerOf(email: string): Promise<Owner | undefined> {
    const [row] = await this.#query(OWNER, [email], this.#within(this.#patience));
    return row && { sub: String(row.User_UUID), email: String(row.User_Email) };
  }

  /**
   * Creates the user's row unless it exists.
   * @returns whether it was missing
   * @throws EmailConflict
   */
  register(user: User): Promise<boolean> {
    return this.#users.catchUp(user, this.#within(this.#patience));
  }

  /** Checks what `register` would do now, without changing the table: returns and throws the same. */
  async foresee(user: User): Promise<boolean> {
    const owner = await this.ownerOf(user.email);
    if (owner !== undefined && owner.sub.toLowerCase() !== user.sub.toLowerCase()) {
      throw new EmailConflict();
    }
    return owner === undefined;
  }

  async #query(
    sql: string,
    values: readonly string[],
    left: RemainingTime,
  ): Promise<Readonly<Record<string, unknown>>[]> {
    const rows = await this.#database.run((connection) => connection.execute(sql, values, left), left);
    return rows as Readonly<Record<string, unknown>>[];
  }

  #within(milliseconds: number): RemainingTime {
    const end = performance.now() + milliseconds;
    return () => Math.min(end, this.#stopBy) - performance.now();
  }
}
