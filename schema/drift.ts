import { run, type SchemaServer, withConnection } from "./connection";
import { schemaError } from "./error";
import { recordTable } from "./migrations";
import { quoted, readShapes, type Shapes } from "./shape";

/** One difference between a live database and one that the files make. */
export interface Difference {
  readonly table: string;
  /** Column as `` `name` ``, index as ``KEY `name` ``, `options` (engine, charset, collation), or `table` for the whole. */
  readonly part: string;
  /** MySQL's own text for the part; `undefined` if the part does not exist. */
  readonly expected: string | undefined;
  readonly actual: string | undefined;
}

/** The tables of a database, as MySQL describes them. */
export interface LiveTables {
  /** Version of the server, such as `8.4.6`. */
  readonly version: string;
  readonly shapes: Shapes;
}

/**
 * Reads the definitions of a database's tables, and changes nothing. The record of the migrations is left out.
 *
 * @throws SchemaError if the server cannot be reached, or has no such database
 */
export async function readLiveTables(server: SchemaServer, database: string): Promise<LiveTables> {
  return withConnection(server, async (connection) => {
    const query = (statement: string, values?: string[]) => run(connection, server, statement, values);
    const exists = (await query("SELECT 1 FROM information_schema.schemata WHERE schema_name = ?", [
      database,
    ])) as unknown[];
    if (exists.length === 0) {
      const message = `There is no database "${database}" on ${server.host}:${server.port}. Apply the schema first.`;
      throw schemaError(message, { code: "ER_BAD_DB_ERROR" });
    }
    await query(`USE ${quoted(database)}`);
    const [{ version }] = (await query("SELECT VERSION() AS version")) as [{ version: string }];
    const { [recordTable]: _, ...shapes } = await readShapes(query);
    return { version, shapes };
  });
}

/**
 * Compares two databases table by table: every column (type, nullability, default, extra, collation), index, constraint
 * and table option. Views are not compared.
 *
 * @param expected what the files make, read from a server that they were applied to: so no spelling in a file (`INTEGER`,
 *   `now()`) shows as a difference
 * @returns each difference, tables in alphabetical order; empty if the databases agree
 */
export function differences(expected: Shapes, actual: Shapes): Difference[] {
  return union(expected, actual).flatMap((table): Difference[] => {
    const [expectedTable, actualTable] = [expected[table], actual[table]];
    if (expectedTable === undefined) return [{ table, part: "table", expected: undefined, actual: "present" }];
    if (actualTable === undefined) return [{ table, part: "table", expected: "present", actual: undefined }];
    const [expectedParts, actualParts] = [partsOf(expectedTable), partsOf(actualTable)];
    return union(expectedParts, actualParts)
      .filter((part) => expectedParts[part] !== actualParts[part])
      .map((part) => ({ table, part, expected: expectedParts[part], actual: actualParts[part] }));
  });
}

type Texts = Readonly<Record<string, string>>;

function union(one: Texts, other: Texts): string[] {
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].sort();
}

/** Splits the text of `SHOW CREATE TABLE`: each line between the first line and the line of the options is one part. */
function partsOf(createTable: string): Texts {
  const lines = createTable.split("\n").slice(1);
  const end = lines.findIndex((line) => line.startsWith(")"));
  const parts: Record<string, string> = {};
  for (const line of lines.slice(0, end)) {
    const [, part, definition] = /^\s*((?:[A-Z ]+ )?`(?:[^`]|``)*`|PRIMARY KEY) ?(.*?),?$/.exec(line) ?? [];
    parts[part ?? line.trim()] = definition ?? "";
  }
  return { ...parts, options: lines.slice(end).join(" ").slice(2) };
}
