/** How the tables of a database are described by MySQL itself. */

/** Runs a statement and gives its rows. */
export type Ask = (sql: string) => Promise<unknown>;

/** Table → what `SHOW CREATE TABLE` says of it, without the counter, which tells of rows. */
export type Shapes = Readonly<Record<string, string>>;

/**
 * Reads the shapes of the database in use, and changes nothing.
 *
 * @param views whether views are read too; their text names the user who made them
 */
export async function readShapes(ask: Ask, { views = false } = {}): Promise<Shapes> {
  const rows = (await ask("SHOW FULL TABLES")) as Record<string, string>[];
  const shapes: Record<string, string> = {};
  for (const row of rows) {
    const [table, kind] = Object.values(row) as [string, string];
    if (kind !== "BASE TABLE" && !views) continue;
    const [answer] = (await ask(`SHOW CREATE TABLE ${quoted(table)}`)) as [Record<string, string>];
    const text = answer["Create Table"] ?? answer["Create View"] ?? "";
    shapes[table] = text.replace(/^(\).*?) AUTO_INCREMENT=\d+/m, "$1");
  }
  return shapes;
}

/** A name as an identifier of SQL. */
export function quoted(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}
