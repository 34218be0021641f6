import { codeOf, run, type SchemaServer, withConnection } from "./connection";
import { schemaError } from "./error";
import { createdTables, harmlessStatementsOf, isWord, type Statement } from "./statements";

/** One place where a live database is not what the files say. */
export interface Difference {
  readonly table: string;
  /** Column as `` `name` ``, index as ``KEY `name` ``, `options` (engine, charset, collation), or `table` for the whole. */
  readonly part: string;
  /** MySQL's own wording of it; `undefined` where it is absent. */
  readonly expected: string | undefined;
  readonly actual: string | undefined;
}

/** Part of a table → its definition. */
type Shape = Map<string, string>;

/**
 * Compares a live database with a schema file: every table, column (type, nullability, default, extra, collation), index
 * and table option. Changes nothing.
 *
 * The file's side is what MySQL itself makes of it: its tables are created as temporary ones, which only this session
 * sees and which end with it, and both sides are read by `SHOW CREATE TABLE`. So no spelling in the file (`INTEGER`,
 * `now()`) shows as a difference. Statements other than `CREATE TABLE` are not considered. The user needs
 * `CREATE TEMPORARY TABLES`; temporary tables cannot have foreign keys, so neither can the file.
 *
 * @returns nothing where they agree, else each difference, tables in alphabetical order
 * @throws SchemaError as `applySchema`
 */
export async function findDrift(server: SchemaServer, sql: string, database: string): Promise<Difference[]> {
  const statements = harmlessStatementsOf(sql, database).filter((statement) => createdTables([statement]).length > 0);
  return withConnection(server, async (connection) => {
    const ask = (statement: string) => run(connection, server, statement);
    const exists = (await ask(`SHOW DATABASES LIKE ${connection.escape(likeExactly(database))}`)) as unknown[];
    if (exists.length === 0) {
      const message = `There is no database "${database}" on ${server.host}:${server.port}. Apply the schema first.`;
      throw schemaError(message, { code: "ER_BAD_DB_ERROR" });
    }
    await ask(`USE ${quoted(database)}`);
    // First what is there: from then on the temporary tables hide it.
    const rows = (await ask("SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'")) as Record<string, string>[];
    const actual = await shapesOf(
      ask,
      rows.map((row) => Object.values(row)[0]!),
    );
    for (const statement of statements) await createTemporary(ask, statement);
    return compare(await shapesOf(ask, createdTables(statements)), actual);
  });
}

type Ask = (sql: string) => Promise<unknown>;

/** The differences between two sets of tables; empty where they agree. */
function compare(expected: ReadonlyMap<string, Shape>, actual: ReadonlyMap<string, Shape>): Difference[] {
  return union(expected, actual).flatMap((table): Difference[] => {
    const [wanted, found] = [expected.get(table), actual.get(table)];
    if (!wanted) return [{ table, part: "table", expected: undefined, actual: "present" }];
    if (!found) return [{ table, part: "table", expected: "present", actual: undefined }];
    return union(wanted, found)
      .filter((part) => wanted.get(part) !== found.get(part))
      .map((part) => ({ table, part, expected: wanted.get(part), actual: found.get(part) }));
  });
}

function union(one: ReadonlyMap<string, unknown>, other: ReadonlyMap<string, unknown>): string[] {
  return [...new Set([...one.keys(), ...other.keys()])].sort();
}

async function shapesOf(ask: Ask, tables: readonly string[]): Promise<Map<string, Shape>> {
  const shapes = new Map<string, Shape>();
  for (const table of tables) {
    const rows = (await ask(`SHOW CREATE TABLE ${quoted(table)}`)) as Record<string, string>[];
    shapes.set(table, shapeOf(rows[0]!["Create Table"]!));
  }
  return shapes;
}

/** Takes apart what `SHOW CREATE TABLE` writes: one part a line between the first line and that of the options. */
function shapeOf(createTable: string): Shape {
  const lines = createTable.split("\n").slice(1);
  const end = lines.findIndex((line) => line.startsWith(")"));
  const shape: Shape = new Map();
  for (const line of lines.slice(0, end)) {
    const [, part, definition] = /^\s*((?:[A-Z ]+ )?`(?:[^`]|``)+`|PRIMARY KEY) (.*?),?$/.exec(line) ?? [];
    shape.set(part ?? line.trim(), definition ?? "");
  }
  // The counter says how many rows there were, not how the table is made.
  shape.set(
    "options",
    lines
      .slice(end)
      .join(" ")
      .slice(2)
      .replace(/ AUTO_INCREMENT=\d+/, ""),
  );
  return shape;
}

async function createTemporary(ask: Ask, { text, tokens, line }: Statement): Promise<void> {
  const create = tokens[0]!;
  // Whatever database the statement names before the dot, the shadow belongs beside what it is compared with.
  const name = tokens[isWord(tokens[2], "IF") ? 5 : 2]!;
  const rest = text.slice(name.start - create.start);
  try {
    await ask(`CREATE TEMPORARY TABLE ${rest}`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw schemaError(`MySQL does not accept line ${line} of the schema file: ${reason}`, {
      code: codeOf(error),
      line,
      cause: error,
    });
  }
}

function likeExactly(text: string): string {
  return text.replaceAll(/[\\%_]/g, "\\$&");
}

function quoted(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}
