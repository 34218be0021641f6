import type { Connection } from "mysql2/promise";
import { run, type SchemaServer, timeFor, withConnection } from "./connection";
import { ensureUser, type UserChange, validateUser } from "./databaseUser";
import { schemaError } from "./error";
import { hasMigrations, migrate } from "./migrate";
import { migrationStatements, orderedMigrations } from "./migrations";
import type { SchemaPlan } from "./plan";
import { statementError } from "./statementError";
import { createdTables, harmlessStatementsOf } from "./statements";

/** What was applied. */
export interface Applied {
  /** Names of the tables that the schema file creates, whether or not they were there before. */
  readonly tables: string[];
  /** Names of the migrations that this run applied or finished; earlier migrations were already applied. */
  readonly migrations: string[];
  /** What was done to the user; undefined if the plan has none. */
  readonly user?: UserChange;
}

/** A step that was done, for a log. */
export interface AppliedStep {
  readonly code: "SCHEMA_FILE_APPLIED" | "MIGRATION_APPLIED" | "USER_READY";
  readonly [field: string]: unknown;
}

/**
 * Applies a plan to a server: the schema file with the database and its tables, then the migrations, then the user.
 * Checks the whole plan before it sends anything, and drops only what a migration drops. It may be run any number of
 * times; of two concurrent runs, one waits for the other.
 *
 * The schema file is applied at each run until the first migration. From then on it must not be changed, as an applied
 * migration must not, and it is no longer applied: it would create again a table that a migration has dropped.
 *
 * @param options `onStep` is called after each step; `file` is the name of the schema file in messages
 * @throws SchemaError before anything is sent if a file or the user is refused ({@link harmlessStatementsOf},
 *   {@link migrationStatements}); if the server cannot be reached; if an applied file was changed; if a statement
 *   fails, with its file, number, line and text, and MySQL's code and message. It never contains a password.
 */
export async function applySchema(
  server: SchemaServer,
  plan: SchemaPlan,
  options: { onStep?: (step: AppliedStep) => void; file?: string } = {},
): Promise<Applied> {
  const { onStep = () => {}, file = "the schema file" } = options;
  const { database, sql, user } = plan;
  const statements = harmlessStatementsOf(sql, database);
  const migrations = orderedMigrations(plan.migrations ?? []);
  for (const migration of migrations) migrationStatements(migration, database);
  if (user) validateUser(user);

  return withConnection(server, async (connection) => {
    const send = (text: string, values?: readonly unknown[]) => run(connection, server, text, values);
    await acquireLock(connection, server, database);
    if (!(await hasMigrations(send, database))) {
      for (const [index, statement] of statements.entries()) {
        await send(statement.text).catch((error) => {
          throw statementError(statement, `statement ${index + 1} of ${statements.length}`, file, error);
        });
      }
      onStep({ code: "SCHEMA_FILE_APPLIED", statements: statements.length });
    }
    const applied = await migrate(send, { database, sql, migrations }, (name) =>
      onStep({ code: "MIGRATION_APPLIED", migration: name }),
    );
    const tables = createdTables(statements);
    if (user === undefined) return { tables, migrations: applied };
    const change = await ensureUser(send, user, database);
    onStep({ code: "USER_READY", user: user.name, change });
    return { tables, migrations: applied, user: change };
  });
}

/** Longest wait for another run, in seconds. */
const longestLockSeconds = 600;

/**
 * Waits until no other run works on this database, by a named lock of MySQL. The lock ends with the connection; after a
 * run that was cut off, it ends only when MySQL has ended the last statement of that run.
 */
async function acquireLock(connection: Connection, server: SchemaServer, database: string): Promise<void> {
  const seconds = Math.max(
    0,
    Math.min(longestLockSeconds, Math.floor(timeFor({ ...server, statementTimeout: 3.6e6 }) / 1000) - 5),
  );
  const lockServer = { ...server, statementTimeout: (seconds + 5) * 1000 };
  // A lock's name is valid for the whole server. Its limit is 64 characters, as for a database's name.
  const name = `schema:${database}`.slice(0, 64);
  const [row] = (await run(connection, lockServer, "SELECT GET_LOCK(?, ?) AS taken, IS_USED_LOCK(?) AS holder", [
    name,
    seconds,
    name,
  ])) as [{ taken: number | null; holder: number | null }];
  if (row.taken === 1) return;
  throw schemaError(
    `Another run is applying the schema of ${database} (MySQL connection ${row.holder ?? "unknown"}), and did not end ` +
      `within ${seconds} s. Try again after it has ended; MySQL continues a long change after its run was cut off.`,
    { code: "SCHEMA_LOCKED" },
  );
}
