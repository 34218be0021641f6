import { readFile } from "node:fs/promises";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import type { Outputs } from "../../cli/localOutputs";

/**
 * A person's row of `users`, read as this machine's administrator.
 *
 * @returns the columns, dates as MySQL writes them; undefined where there is no row
 */
export async function rowOf(
  sub: string,
  { mysql, authorityFile }: Pick<Outputs, "mysql" | "authorityFile">,
): Promise<Record<string, unknown> | undefined> {
  const { host, port, user, password, database } = mysql;
  const ssl = { ca: await readFile(authorityFile, "utf8"), verifyIdentity: true };
  const connection = await createConnection({ host, port, user, password, database, ssl, dateStrings: true });
  try {
    const [rows] = await connection.execute<RowDataPacket[]>("SELECT * FROM users WHERE User_UUID = ?", [sub]);
    return rows[0] && { ...rows[0] };
  } finally {
    await connection.end();
  }
}
