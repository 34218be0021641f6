import * as pulumi from "@pulumi/pulumi";
import { checksum } from "../../schema/checksum";
import { migrationStatements, orderedMigrations } from "../../schema/migrations";
import type { Migration } from "../../schema/plan";
import { createdTables, harmlessStatementsOf } from "../../schema/statements";

/** The schema file and its migrations, checked as far as they are known. */
export interface CheckedFiles {
  readonly sql: pulumi.Output<string>;
  /** In their order. */
  readonly migrations: readonly Migration[];
  /** Names of the tables that the schema file creates. */
  readonly tables: pulumi.Output<string[]>;
  /** SHA-256 of the schema file, hexadecimal. */
  readonly checksum: pulumi.Output<string>;
  /**
   * The same of each migration by its name: in plain among a resource's inputs they let a preview name the new ones.
   */
  readonly migrationChecksums: Readonly<Record<string, string>>;
}

/**
 * Checks the files before anything is registered, so that a preview shows their faults.
 *
 * @param database the only database that they may touch
 * @throws SchemaError where the schema file could destroy something, and for the faults of migrations
 *   ({@link orderedMigrations}, {@link migrationStatements}): at once where `sql` and `database` are known
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
