import type { Database } from "../../functions/registerUser/database";
import { EmailConflict } from "../../functions/registerUser/errors";
import { Users } from "../../functions/registerUser/users";
import type { User } from "../../functions/shared/event";
import type { RemainingTime } from "../../functions/shared/time";

/** So many users are looked for at once: a page of Cognito's. */
const AT_ONCE = 60;
/** After the signal, what is under way may take so long (ms) to end well. */
const FINISH_MILLISECONDS = 2000;

const FIND = `SELECT User_UUID FROM ecommerce_db.users WHERE User_UUID IN (${Array(AT_ONCE).fill("?").join(", ")})`;
const OWNER = "SELECT User_UUID, User_Email FROM ecommerce_db.users WHERE User_Email = ?";

/** Who has an address in the table. */
export interface Owner {
  readonly sub: string;
  /** As it stands there: MySQL takes addresses as equal that differ in case or accents. */
  readonly email: string;
}

/**
 * The table `ecommerce_db.users` for this command, on the function's own connection and with its own way to register.
 * It needs `INSERT (User_UUID, User_Email, User_DateAdd)` and `SELECT (User_UUID, User_Email)`. A fault that may pass,
 * such as a restart of the server, is waited out.
 */
export class Rows {
  readonly #database: Database;
  readonly #users: Users;
  readonly #patience: number;
  #stopBy = Number.POSITIVE_INFINITY;

  /**
   * @param patience how long one step may take (ms), with all its repetitions
   * @param signal ends the patience
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
   * Finds out whether the database can be reached and read.
   * @param milliseconds how long to try
   * @throws as `Database.run`, as do all of these methods
   */
  async reach(milliseconds: number): Promise<void> {
    await this.#query(OWNER, [""], this.#within(milliseconds));
  }

  /**
   * Which of these users have a row: one statement, the same for every number of users.
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

  /** Whose row has the address, as MySQL compares addresses. */
  async ownerOf(email: string): Promise<Owner | undefined> {
    const [row] = await this.#query(OWNER, [email], this.#within(this.#patience));
    return row && { sub: String(row.User_UUID), email: String(row.User_Email) };
  }

  /**
   * Makes the user's row unless it is there.
   * @returns whether it was missing
   * @throws EmailConflict
   */
  register(user: User): Promise<boolean> {
    return this.#users.catchUp(user, this.#within(this.#patience));
  }

  /** What `register` would do just now, without doing it: returns and throws the same. */
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
