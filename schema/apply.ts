import { codeOf, run, type SchemaServer, withConnection } from "./connection";
import { schemaError } from "./error";
import { createdTables, harmlessStatementsOf, type Statement } from "./statements";

/** What was applied. */
export interface Applied {
  /** Number of statements sent; each succeeded. */
  readonly statements: number;
  /** Names of the tables that the file creates, whether or not they were there before. */
  readonly tables: string[];
}

/**
 * Applies a schema file: checks the whole of it, then sends its statements one after another. MySQL commits each
 * definition on its own, so after a failure midway the earlier statements stay; mend the file and apply it again.
 *
 * @param database the only database that the file may create or use
 * @param file what messages call the file
 * @throws SchemaError before sending anything where the file is refused ({@link harmlessStatementsOf}), where the server
 *   cannot be had, and for the statement that failed: its line, its beginning, MySQL's code and message. Never the password.
 */
export async function applySchema(
  server: SchemaServer,
  sql: string,
  { database, file = "the schema file" }: { readonly database?: string; readonly file?: string } = {},
): Promise<Applied> {
  const statements = harmlessStatementsOf(sql, database);
  return withConnection(server, async (connection) => {
    for (const [index, statement] of statements.entries()) {
      try {
        await run(connection, server, statement.text);
      } catch (error) {
        throw failed(statement, `statement ${index + 1} of ${statements.length}`, file, error);
      }
    }
    return { statements: statements.length, tables: createdTables(statements) };
  });
}

function failed({ text, line }: Statement, which: string, file: string, error: unknown): Error {
  const reason = error instanceof Error ? error.message : String(error);
  // MySQL counts lines from the beginning of the statement it was sent.
  const within = /\bat line (\d+)$/.exec(reason)?.[1];
  const faulty = within ? line + Number(within) - 1 : line;
  const beginning = text.replaceAll(/\s+/g, " ").slice(0, 80);
  const code = codeOf(error);
  return schemaError(
    `Line ${faulty} of ${file} failed (${which}, "${beginning}", beginning on line ${line}): ${code} ${reason}. ` +
      "The statements before it are applied; mend the file and apply it again.",
    { code, line: faulty, cause: error },
  );
}
