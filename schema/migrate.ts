import { checksum } from "./checksum";
import { schemaError } from "./error";
import { baselineName, changesRows, migrationStatements, recordTable } from "./migrations";
import type { Migration, SchemaPlan } from "./plan";
import { quoted, readShapes } from "./shape";
import { statementError } from "./statementError";
import type { Statement } from "./statements";

/** Runs a statement on the one connection that holds the lock. */
export type Send = (sql: string, values?: readonly unknown[]) => Promise<unknown>;

/** The progress of a migration that is not applied completely. */
interface Progress {
  /** Checksums of the statements that were executed, in order. */
  readonly done: readonly string[];
  /** The checksum of a statement that was sent and has no known result, and that of the tables' shapes before it. */
  readonly sent?: { readonly statement: string; readonly shapes: string };
}

interface RecordRow {
  readonly name: string;
  readonly checksum: string;
  readonly applied_at: string | null;
  readonly progress: Progress | null;
}

/** Whether a migration of the database has begun; then its schema file is no longer applied. */
export async function hasMigrations(send: Send, database: string): Promise<boolean> {
  return (await readRecord(send, database)).length > 0;
}

/**
 * Applies the migrations that are not applied yet, one after another, and records each in the table
 * `schema_migrations`, which it creates with the first of them. The caller holds the lock.
 *
 * MySQL commits each definition on its own, so a migration that fails stays half done. Its progress is recorded
 * statement by statement. The next run continues with the statement that failed, which may be corrected meanwhile; the
 * statements before it are done and must not be changed. After a run that was cut off, the next run finds out whether
 * the last statement was executed: rows change in one transaction with the record, and a definition changes how MySQL
 * describes the tables (MySQL executes a single definition as a whole or not at all,
 * https://dev.mysql.com/doc/refman/8.4/en/atomic-ddl.html).
 *
 * @param onApplied called with the name of each migration that was applied
 * @returns names of the migrations that this run applied or finished
 * @throws SchemaError for an applied file that was changed or is missing, and for the statement that failed
 */
export async function migrate(
  send: Send,
  { database, sql, migrations = [] }: Pick<SchemaPlan, "database" | "sql" | "migrations">,
  onApplied: (name: string) => void = () => {},
): Promise<string[]> {
  let record = await readRecord(send, database);
  refuseRewrittenHistory(record, [{ name: baselineName, sql }, ...migrations]);
  if (migrations.length === 0) return [];

  await send(`USE ${quoted(database)}`);
  if (record.length === 0) {
    await createRecord(send, sql);
    record = await readRecord(send, database);
  }
  const isApplied = ({ name }: Migration) => record.some((row) => row.name === name && row.applied_at !== null);
  const open = migrations.filter((migration) => !isApplied(migration));
  for (const migration of open) {
    const progress = record.find(({ name }) => name === migration.name)?.progress ?? { done: [] };
    await applyMigration(send, migration, migrationStatements(migration, database), progress);
    onApplied(migration.name);
  }
  return open.map(({ name }) => name);
}

async function readRecord(send: Send, database: string): Promise<RecordRow[]> {
  const tables = (await send("SELECT 1 FROM information_schema.tables WHERE table_schema = ? AND table_name = ?", [
    database,
    recordTable,
  ])) as unknown[];
  if (tables.length === 0) return [];
  const columns = "name, checksum, CAST(applied_at AS char) AS applied_at, progress";
  return (await send(`SELECT ${columns} FROM ${quoted(database)}.${recordTable} ORDER BY name`)) as RecordRow[];
}

async function createRecord(send: Send, sql: string): Promise<void> {
  await send(
    `CREATE TABLE IF NOT EXISTS ${recordTable} (
      name varchar(100) NOT NULL PRIMARY KEY,
      checksum char(64) NOT NULL COMMENT 'SHA-256 of the file',
      applied_at datetime DEFAULT NULL COMMENT 'UTC; NULL while statements are left',
      progress json DEFAULT NULL COMMENT 'what is done of it, while statements are left'
    ) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci`,
  );
  const values = [baselineName, checksum(sql)];
  await send(`INSERT INTO ${recordTable} (name, checksum, applied_at) VALUES (?, ?, UTC_TIMESTAMP())`, values);
}

function refuseRewrittenHistory(record: readonly RecordRow[], files: readonly Migration[]): void {
  for (const row of record) {
    const file = files.find(({ name }) => name === row.name);
    if (!file) {
      throw schemaError(
        `The database has the migration ${row.name}, and the files do not. A newer version of the files made it, or ` +
          "the file was removed or renamed: deploy a version that has the file.",
        { code: "MIGRATION_MISSING" },
      );
    }
    if (row.applied_at !== null && row.checksum !== checksum(file.sql)) {
      const what = file.name === baselineName ? "The schema file" : `The migration ${file.name}`;
      throw schemaError(
        `${what} was changed after it had been applied at ${row.applied_at} UTC. Restore it, and make the change in a ` +
          "new migration.",
        { code: "MIGRATION_CHANGED" },
      );
    }
  }
}

async function applyMigration(
  send: Send,
  migration: Migration,
  statements: readonly Statement[],
  before: Progress,
): Promise<void> {
  const file = `schema/migrations/${migration.name}.sql`;
  const checksums = statements.map(({ text }) => checksum(text));
  const shapesNow = async () => checksum(JSON.stringify(await readShapes(send, { views: true })));
  const recordProgress = (progress: Progress) =>
    send(
      `INSERT INTO ${recordTable} (name, checksum, progress) VALUES (?, ?, ?) AS new
       ON DUPLICATE KEY UPDATE checksum = new.checksum, progress = new.progress`,
      [migration.name, checksum(migration.sql), JSON.stringify(progress)],
    );

  let { done } = before;
  if (before.sent && before.sent.shapes !== (await shapesNow())) done = [...done, before.sent.statement];
  refuseChangedStatement(migration, checksums, done);
  await recordProgress({ done });

  for (const [index, statement] of statements.entries()) {
    if (index < done.length) continue;
    const next = { done: checksums.slice(0, index + 1) };
    let wasExecuted = false;
    try {
      if (changesRows(statement)) {
        await send("START TRANSACTION");
        await send(statement.text);
        await recordProgress(next);
        await send("COMMIT");
      } else {
        await recordProgress({
          done: checksums.slice(0, index),
          sent: { statement: checksums[index]!, shapes: await shapesNow() },
        });
        await send(statement.text);
        wasExecuted = true;
        await recordProgress(next);
      }
    } catch (error) {
      const done = checksums.slice(0, index);
      const advice = wasExecuted ? retryAdvice : await rollBack(send, recordProgress, { done }, error);
      throw statementError(statement, `statement ${index + 1} of ${statements.length}`, file, error, advice);
    }
  }
  const finish = `UPDATE ${recordTable} SET checksum = ?, applied_at = UTC_TIMESTAMP(), progress = NULL WHERE name = ?`;
  await send(finish, [checksum(migration.sql), migration.name]);
}

function refuseChangedStatement({ name }: Migration, checksums: readonly string[], done: readonly string[]): void {
  const changed = done.findIndex((sum, index) => sum !== checksums[index]);
  if (changed < 0) return;
  throw schemaError(
    `Statement ${changed + 1} of the migration ${name} was changed or moved after it had been carried out. Restore the ` +
      `first ${done.length} statements as they were; what comes after them may be changed.`,
    { code: "MIGRATION_CHANGED" },
  );
}

/** Rolls back the statement that failed, and records the progress before it. @returns what to do, for the message */
async function rollBack(
  send: Send,
  recordProgress: (progress: Progress) => Promise<unknown>,
  progress: Progress,
  error: unknown,
): Promise<string> {
  const correctAdvice =
    "The statements before it are done and recorded. Correct this statement, do not change those, and deploy again.";
  // An error of MySQL itself has a number above 0, and the statement changed nothing. Otherwise the outcome is unknown.
  if (!(Number((error as { errno?: unknown }).errno) > 0)) return retryAdvice;
  try {
    await send("ROLLBACK");
    await recordProgress(progress);
    return correctAdvice;
  } catch {
    return retryAdvice;
  }
}

const retryAdvice =
  "Whether it was carried out is not known yet; MySQL may still be executing it. Change no table by hand and deploy " +
  "again: the next run waits for it, finds out, and continues.";
