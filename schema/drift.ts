import { run, type SchemaServer, withConnection } from "./connection";
import { schemaError } from "./error";
import { recordTable } from "./migrations";
import { quoted, readShapes, type Shapes } from "./shape";

/** One place where a live database is not what the files make. */
export interface Difference {
  readonly table: string;
  /** Column as `` `name` ``, index as ``KEY `name` ``, `options` (engine, charset, collation), or `table` for the whole. */
  readonly part: string;
  /** MySQL's own wording of it; `undefined` where it is absent. */
  readonly expected: string | undefined;
  readonly actual: string | undefined;
}

/** The tables of a database, in MySQL's words. */
export interface LiveTables {
  /** Of the server, such as `8.4.6`. */
  readonly version: string;
  readonly shapes: Shapes;
}

/**
 * Reads how the tables of a database are, and changes nothing. The record of the migrations is left out.
 *
 * @throws SchemaError where the server cannot be had, or has no such database
 */
export async function readLiveTables(server: SchemaServer, database: string): Promise<LiveTables> {
  return withConnection(server, async (connection) => {
    const ask = (statement: string, values?: string[]) => run(connection, server, statement, values);
    const exists = (await ask("SELECT 1 FROM information_schema.schemata WHERE schema_name = ?", [
      database,
    ])) as unknown[];
    if (exists.length === 0) {
      const message = `There is no database "${database}" on ${server.host}:${server.port}. Apply the schema first.`;
      throw schemaError(message, { code: "ER_BAD_DB_ERROR" });
    }
    await ask(`USE ${quoted(database)}`);
    const [{ version }] = (await ask("SELECT VERSION() AS version")) as [{ version: string }];
    const { [recordTable]: _, ...shapes } = await readShapes(ask);
    return { version, shapes };
  });
}

/**
 * Compares two databases table by table: every column (type, nullability, default, extra, collation), index, constraint
 * and table option. Views are not compared.
 *
 * @param expected what the files make, read from a server that they were applied to: so no spelling in a file (`INTEGER`,
 *   `now()`) shows as a difference
 * @returns nothing where they agree, else each difference, tables in alphabetical order
 */
export function differences(expected: Shapes, actual: Shapes): Difference[] {
  return union(expected, actual).flatMap((table): Difference[] => {
    const [wanted, found] = [expected[table], actual[table]];
    if (wanted === undefined) return [{ table, part: "table", expected: undefined, actual: "present" }];
    if (found === undefined) return [{ table, part: "table", expected: "present", actual: undefined }];
    const [wantedParts, foundParts] = [partsOf(wanted), partsOf(found)];
    return union(wantedParts, foundParts)
      .filter((part) => wantedParts[part] !== foundParts[part])
      .map((part) => ({ table, part, expected: wantedParts[part], actual: foundParts[part] }));
  });
}

type Texts = Readonly<Record<string, string>>;

function union(one: Texts, other: Texts): string[] {
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].sort();
}

/** Takes apart what `SHOW CREATE TABLE` writes: one part a line between the first line and that of the options. */
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
