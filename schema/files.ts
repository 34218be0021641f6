/** Reads the schema's files, for the program and for commands; what runs on the server's side is handed their content. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { type SchemaError, schemaError } from "./error";
import { orderedMigrations } from "./migrations";
import type { Migration } from "./plan";

/**
 * Content of `ecommerceSchema.sql`, the schema file with which the tables begin.
 *
 * @throws SchemaError where it cannot be read
 */
export function readSchemaFile(): string {
  return read(path.join(__dirname, "ecommerceSchema.sql"));
}

/**
 * The migrations of a folder, in their order.
 *
 * @param folder @default `schema/migrations`
 * @throws SchemaError for a file that is no migration or cannot be read, and for the faults of {@link orderedMigrations}
 */
export function readMigrations(folder = path.join(__dirname, "migrations")): Migration[] {
  const files = filesIn(folder).filter((file) => !file.startsWith(".") && file !== "README.md");
  const stranger = files.find((file) => !file.endsWith(".sql"));
  if (stranger !== undefined) {
    throw schemaError(
      `${path.join(folder, stranger)} is no migration. The folder holds files such as 0001_add_order_status.sql, and a ` +
        "README.md; put anything else elsewhere.",
    );
  }
  return orderedMigrations(
    files.sort().map((file) => ({ name: file.slice(0, -".sql".length), sql: read(path.join(folder, file)) })),
  );
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (cause) {
    throw unreadable(`The folder of migrations ${folder}`, cause);
  }
}

/**
 * With the same line ends on every machine, since checksums are taken.
 *
 * @throws SchemaError where the file cannot be read
 */
function read(file: string): string {
  try {
    return readFileSync(file, "utf8").replaceAll("\r\n", "\n");
  } catch (cause) {
    throw unreadable(`The schema file ${file}`, cause);
  }
}

function unreadable(what: string, cause: unknown): SchemaError {
  const { code = "" } = cause as NodeJS.ErrnoException;
  return schemaError(`${what} cannot be read (${code}). Restore it.`, { code, cause });
}
