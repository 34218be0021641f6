import * as pulumi from "@pulumi/pulumi";
import { checksum } from "../../schema/checksum";
import { migrationStatements, orderedMigrations } from "../../schema/migrations";
import type { Migration } from "../../schema/plan";
import { createdTables, harmlessStatementsOf } from "../../schema/statements";

/** The schema file and its migrations, checked as soon as they are known. */
export interface CheckedFiles {
  readonly sql: pulumi.Output<string>;
  /** In their order. */
  readonly migrations: readonly Migration[];
  /** Names of the tables that the schema file creates. */
  readonly tables: pulumi.Output<string[]>;
  /** SHA-256 of the schema file, hexadecimal. */
  readonly checksum: pulumi.Output<string>;
  /**
   * SHA-256 of each migration by its name: as plain inputs of a resource they let a preview name the new migrations.
   */
  readonly migrationChecksums: Readonly<Record<string, string>>;
}

/**
 * Checks the files before anything is registered, so that a preview shows their errors.
 *
 * @param database the only database that they may touch
 * @throws SchemaError if the schema file could destroy something, and for errors in migrations
 *   ({@link orderedMigrations}, {@link migrationStatements}): at once if `sql` and `database` are strings
 */
export function checkedFiles(
  sql: pulumi.Input<string>,
  migrations: readonly Migration[],
  database: pulumi.Input<string>,
): CheckedFiles {
  const ordered = orderedMigrations(migrations);
  const tablesOf = (text: string, name: string) => {
    for (const migration of ordered) migrationStatements(migration, name);
    return createdTables(harmlessStatementsOf(text, name));
  };
  if (typeof sql === "string" && typeof database === "string") tablesOf(sql, database);
  const text = pulumi.output(sql);
  return {
    sql: text,
    migrations: ordered,
    tables: pulumi.all([text, database]).apply(([known, name]) => tablesOf(known, name)),
    checksum: text.apply(checksum),
    migrationChecksums: Object.fromEntries(ordered.map((migration) => [migration.name, checksum(migration.sql)])),
  };
}
