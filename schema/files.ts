/** Reads the schema's files, for the program and for commands. The code that applies them gets their content. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { type SchemaError, schemaError } from "./error";
import { orderedMigrations } from "./migrations";
import type { Migration } from "./plan";

/**
 * Content of `ecommerceSchema.sql`, the schema file: the tables before any migration.
 *
 * @param folder @default `schema`
 *
 * @throws SchemaError if it cannot be read
 */
export function readSchemaFile(folder = __dirname): string {
  return read(path.join(folder, "ecommerceSchema.sql"));
}

/**
 * The migrations of a folder, in their order.
 *
 * @param folder @default `schema/migrations`
 * @throws SchemaError for a file that is not a migration or cannot be read, and as {@link orderedMigrations} does
 */
export function readMigrations(folder = path.join(__dirname, "migrations")): Migration[] {
  const files = filesIn(folder).filter((file) => !file.startsWith(".") && file !== "README.md");
  const unexpected = files.find((file) => !file.endsWith(".sql"));
  if (unexpected !== undefined) {
    throw schemaError(
      `${path.join(folder, unexpected)} is not a migration. The folder holds files such as ` +
        "0001_add_order_status.sql, and a README.md; put any other file elsewhere.",
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
 * Reads a file with the same line ends on every machine, because its checksum is compared.
 *
 * @throws SchemaError if the file cannot be read
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
