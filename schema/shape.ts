/** MySQL's own description of a database's tables. */

/** Runs a statement and returns its rows. */
export type Query = (sql: string) => Promise<unknown>;

/** Table → the text of `SHOW CREATE TABLE`, without the AUTO_INCREMENT counter, which depends on the rows. */
export type Shapes = Readonly<Record<string, string>>;

/**
 * Reads the shapes of the database in use, and changes nothing.
 *
 * @param views whether views are read too; their text names the user who made them
 */
export async function readShapes(query: Query, { views = false } = {}): Promise<Shapes> {
  const rows = (await query("SHOW FULL TABLES")) as Record<string, string>[];
  const shapes: Record<string, string> = {};
  for (const row of rows) {
    const [table, kind] = Object.values(row) as [string, string];
    if (kind !== "BASE TABLE" && !views) continue;
    const [definition] = (await query(`SHOW CREATE TABLE ${quoted(table)}`)) as [Record<string, string>];
    const text = definition["Create Table"] ?? definition["Create View"] ?? "";
    shapes[table] = text.replace(/^(\).*?) AUTO_INCREMENT=\d+/m, "$1");
  }
  return shapes;
}

/** A name as an identifier of SQL. */
export function quoted(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}
