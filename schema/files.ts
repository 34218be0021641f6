/** Reads the schema's files, for the program and for commands; what runs on the server's side is handed their content. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { schemaError } from "./error";
import { orderedMigrations } from "./migrations";
import type { Migration } from "./plan";

/** Content of `ecommerceSchema.sql`, the schema file with which the tables begin. */
export function readSchemaFile(): string {
  return read(path.join(__dirname, "ecommerceSchema.sql"));
}

/**
 * The migrations of a folder, in their order.
 *
 * @param folder @default `schema/migrations`
 * @throws SchemaError for a file that is no migration, and for the faults of {@link orderedMigrations}
 */
export function readMigrations(folder = path.join(__dirname, "migrations")): Migration[] {
  const files = readdirSync(folder).filter((file) => !file.startsWith(".") && file !== "README.md");
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

/** With the same line ends on every machine, since checksums are taken. */
function read(file: string): string {
  return readFileSync(file, "utf8").replaceAll("\r\n", "\n");
}
