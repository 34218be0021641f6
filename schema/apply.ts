import type { Connection } from "mysql2/promise";
import { run, type SchemaServer, timeFor, withConnection } from "./connection";
import { schemaError } from "./error";
import { failed } from "./failure";
import { alreadyBegun, migrate } from "./migrate";
import { migrationStatements, orderedMigrations } from "./migrations";
import type { SchemaPlan } from "./plan";
import { createdTables, harmlessStatementsOf } from "./statements";
import { ensureUser, refuseUnfitUser, type UserChange } from "./user";

/** What was applied. */
export interface Applied {
  /** Names of the tables that the schema file creates, whether or not they were there before. */
  readonly tables: string[];
  /** Names of the migrations that this run applied or finished; those before were applied already. */
  readonly migrations: string[];
  /** What became of the user; missing where the plan has none. */
  readonly user?: UserChange;
}

/** Something that was done, for a log. */
export interface Fact {
  readonly code: "SCHEMA_FILE_APPLIED" | "MIGRATION_APPLIED" | "USER_READY";
  readonly [field: string]: unknown;
}

/**
 * Makes a server hold what a plan says: the database and its tables by the schema file, the migrations after it, and the
 * user. Checks all of it before it sends anything, and drops nothing but what a migration says. It may be run any number
 * of times; of two runs at once, one waits for the other.
 *
 * The schema file is applied at each run until the first migration; from then on it is history, as a migration is, and no
 * longer applied: it would make again a table that a migration has dropped.
 *
 * @param options `tell` is handed each fact as soon as it is one; `file` is what messages call the schema file
 * @throws SchemaError before sending anything where a file or the user is refused ({@link harmlessStatementsOf},
 *   {@link migrationStatements}), where the server cannot be had, where an applied file was changed, and for the statement
 *   that failed: its file, number, line and text, MySQL's code and message. Never a password.
 */
export async function applySchema(
  server: SchemaServer,
  plan: SchemaPlan,
  options: { tell?: (fact: Fact) => void; file?: string } = {},
): Promise<Applied> {
  const { tell = () => {}, file = "the schema file" } = options;
  const { database, sql, user } = plan;
  const statements = harmlessStatementsOf(sql, database);
  const migrations = orderedMigrations(plan.migrations ?? []);
  for (const migration of migrations) migrationStatements(migration, database);
  if (user) refuseUnfitUser(user);

  return withConnection(server, async (connection) => {
    const send = (text: string, values?: readonly unknown[]) => run(connection, server, text, values);
    await takeTurn(connection, server, database);
    if (!(await alreadyBegun(send, database))) {
      for (const [index, statement] of statements.entries()) {
        await send(statement.text).catch((error) => {
          throw failed(statement, `statement ${index + 1} of ${statements.length}`, file, error);
        });
      }
      tell({ code: "SCHEMA_FILE_APPLIED", statements: statements.length });
    }
    const applied = await migrate(send, { database, sql, migrations }, (name) =>
      tell({ code: "MIGRATION_APPLIED", migration: name }),
    );
    const tables = createdTables(statements);
    if (user === undefined) return { tables, migrations: applied };
    const change = await ensureUser(send, user, database);
    tell({ code: "USER_READY", user: user.name, change });
    return { tables, migrations: applied, user: change };
  });
}

/** Longest wait for another run, in seconds. */
const longestTurn = 600;

/**
 * Waits until no other run is under way in this database. The turn ends with the connection: after a run that was cut off,
 * only when MySQL has ended the statement that it had sent.
 */
async function takeTurn(connection: Connection, server: SchemaServer, database: string): Promise<void> {
  const seconds = Math.max(
    0,
    Math.min(longestTurn, Math.floor(timeFor({ ...server, statementTimeout: 3.6e6 }) / 1000) - 5),
  );
  const patient = { ...server, statementTimeout: (seconds + 5) * 1000 };
  // Names of locks are the server's, of 64 characters at most, as those of databases are.
  const name = `schema:${database}`.slice(0, 64);
  const [row] = (await run(connection, patient, "SELECT GET_LOCK(?, ?) AS taken, IS_USED_LOCK(?) AS holder", [
    name,
    seconds,
    name,
  ])) as [{ taken: number | null; holder: number | null }];
  if (row.taken === 1) return;
  throw schemaError(
    `Another run is applying the schema of ${database} (MySQL connection ${row.holder ?? "unknown"}), and did not end ` +
      `within ${seconds} s. Run again when it has; a change of a large table goes on in MySQL after its run was cut off.`,
    { code: "SCHEMA_LOCKED" },
  );
}
