import { checksum } from "./checksum";
import { schemaError } from "./error";
import { failed } from "./failure";
import { baselineName, changesRows, migrationStatements, recordTable } from "./migrations";
import type { Migration, SchemaPlan } from "./plan";
import { quoted, readShapes } from "./shape";
import type { Statement } from "./statements";

/** Runs a statement on the one connection that holds the turn. */
export type Send = (sql: string, values?: readonly unknown[]) => Promise<unknown>;

/** How far a migration is that is not applied as a whole. */
interface Progress {
  /** Checksums of the statements that are carried out, in order. */
  readonly done: readonly string[];
  /** The statement that was sent and not heard of, and how the tables were before it. */
  readonly sent?: { readonly statement: string; readonly shapes: string };
}

interface RecordRow {
  readonly name: string;
  readonly checksum: string;
  readonly applied_at: string | null;
  readonly progress: Progress | null;
}

/** Whether migrations of the database have begun, so that its schema file is history. */
export async function alreadyBegun(send: Send, database: string): Promise<boolean> {
  return (await readRecord(send, database)).length > 0;
}

/**
 * Applies the migrations that are not applied yet, one after another, and remembers each in the table
 * `schema_migrations`, which it makes with the first of them. The caller holds the turn.
 *
 * MySQL commits each definition on its own, so a migration that fails stays half done. It is remembered statement by
 * statement, and the next run goes on with the one that failed, which may be mended meanwhile; those before it are done,
 * and may not be changed. Where a run was cut off, the next one finds out whether its last statement was carried out:
 * rows change in one transaction with the record, and a definition shows in how MySQL describes the tables (a single
 * definition is carried out as a whole or not at all, https://dev.mysql.com/doc/refman/8.4/en/atomic-ddl.html).
 *
 * @param applied told the name of each that is applied
 * @returns names of the migrations that this run applied or finished
 * @throws SchemaError for an applied file that was changed or is missing, and for the statement that failed
 */
export async function migrate(
  send: Send,
  { database, sql, migrations = [] }: Pick<SchemaPlan, "database" | "sql" | "migrations">,
  applied: (name: string) => void = () => {},
): Promise<string[]> {
  let record = await readRecord(send, database);
  refuseRewrittenHistory(record, [{ name: baselineName, sql }, ...migrations]);
  if (migrations.length === 0) return [];

  await send(`USE ${quoted(database)}`);
  if (record.length === 0) {
    await begin(send, sql);
    record = await readRecord(send, database);
  }
  const isApplied = ({ name }: Migration) => record.some((row) => row.name === name && row.applied_at !== null);
  const open = migrations.filter((migration) => !isApplied(migration));
  for (const migration of open) {
    const progress = record.find(({ name }) => name === migration.name)?.progress ?? { done: [] };
    await carryOut(send, migration, migrationStatements(migration, database), progress);
    applied(migration.name);
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

async function begin(send: Send, sql: string): Promise<void> {
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
        `The database has the migration ${row.name}, and the files do not. It was made by a newer state of the files, or ` +
          "the file was removed or renamed: deploy from a state that has it.",
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

async function carryOut(
  send: Send,
  migration: Migration,
  statements: readonly Statement[],
  before: Progress,
): Promise<void> {
  const file = `schema/migrations/${migration.name}.sql`;
  const sums = statements.map(({ text }) => checksum(text));
  const shapesNow = async () => checksum(JSON.stringify(await readShapes(send, { views: true })));
  const note = (progress: Progress) =>
    send(
      `INSERT INTO ${recordTable} (name, checksum, progress) VALUES (?, ?, ?) AS new
       ON DUPLICATE KEY UPDATE checksum = new.checksum, progress = new.progress`,
      [migration.name, checksum(migration.sql), JSON.stringify(progress)],
    );

  let { done } = before;
  if (before.sent && before.sent.shapes !== (await shapesNow())) done = [...done, before.sent.statement];
  refuseChangedStatement(migration, sums, done);
  await note({ done });

  for (const [index, statement] of statements.entries()) {
    if (index < done.length) continue;
    const next = { done: sums.slice(0, index + 1) };
    let carriedOut = false;
    try {
      if (changesRows(statement)) {
        await send("START TRANSACTION");
        await send(statement.text);
        await note(next);
        await send("COMMIT");
      } else {
        await note({ done: sums.slice(0, index), sent: { statement: sums[index]!, shapes: await shapesNow() } });
        await send(statement.text);
        carriedOut = true;
        await note(next);
      }
    } catch (error) {
      const then = carriedOut ? retry : await giveUp(send, note, { done: sums.slice(0, index) }, error);
      throw failed(statement, `statement ${index + 1} of ${statements.length}`, file, error, then);
    }
  }
  const finish = `UPDATE ${recordTable} SET checksum = ?, applied_at = UTC_TIMESTAMP(), progress = NULL WHERE name = ?`;
  await send(finish, [checksum(migration.sql), migration.name]);
}

function refuseChangedStatement({ name }: Migration, sums: readonly string[], done: readonly string[]): void {
  const changed = done.findIndex((sum, index) => sum !== sums[index]);
  if (changed < 0) return;
  throw schemaError(
    `Statement ${changed + 1} of the migration ${name} was changed or moved after it had been carried out. Restore the ` +
      `first ${done.length} statements as they were; what comes after them may be changed.`,
    { code: "MIGRATION_CHANGED" },
  );
}

/** @returns what to do, for the message */
async function giveUp(
  send: Send,
  note: (progress: Progress) => Promise<unknown>,
  progress: Progress,
  error: unknown,
): Promise<string> {
  const mend =
    "What comes before it is done and remembered. Mend this statement, leave the ones before it, and deploy again.";
  // MySQL's own refusals have a number above 0, and leave everything as it was. Otherwise the outcome is not known.
  if (!(Number((error as { errno?: unknown }).errno) > 0)) return retry;
  try {
    await send("ROLLBACK");
    await note(progress);
    return mend;
  } catch {
    return retry;
  }
}

const retry =
  "Whether it was carried out is not known yet; MySQL may still be at it. Change no table by hand and deploy again: the " +
  "next run waits for it, looks, and goes on.";
