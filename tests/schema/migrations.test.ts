/** Migrations: their order, and what is refused before anything is sent. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readMigrations, readSchemaFile } from "../../schema/files";
import { migrationStatements, orderedMigrations } from "../../schema/migrations";
import type { Migration } from "../../schema/plan";

const named = (...names: string[]): Migration[] => names.map((name) => ({ name, sql: "ALTER TABLE a ADD b int;" }));

describe("the order of migrations", () => {
  it("is that of their numbers", () => {
    const given = named("0002_b", "0010_k", "0001_a", ...[3, 4, 5, 6, 7, 8, 9].map((n) => `000${n}_x`));
    expect(orderedMigrations(given).map(({ name }) => name.slice(0, 4))).toEqual(
      Array.from({ length: 10 }, (_, index) => String(index + 1).padStart(4, "0")),
    );
  });

  it.each([
    [["0001_a", "0003_c"], "0003_c stands where number 0002 should be"],
    [["0002_b"], "0002_b stands where number 0001 should be"],
    [["0000_a"], "0000_a stands where number 0001 should be"],
    [["0001_a", "0002_b", "0002_c"], "Two migrations have the number 0002: 0002_b and 0002_c"],
    [["1_a"], '"1_a" has a name that says no order'],
    [["0001_Add"], '"0001_Add" has a name that says no order'],
    [["0001-add"], "Allowed are four digits and words in lower case"],
    [["0001_"], "0001_add_order_status.sql"],
  ])("is refused for %j", (names, message) => {
    expect(() => orderedMigrations(named(...names))).toThrow(message);
  });
});

describe("a migration may", () => {
  it.each([
    "ALTER TABLE orders ADD Order_Status varchar(20), MODIFY Order_Total decimal(30,2)",
    "CREATE UNIQUE INDEX i ON category (Categ_Name)",
    "CREATE TABLE t (a int, CONSTRAINT f FOREIGN KEY (a) REFERENCES u (b) ON DELETE CASCADE)",
    "CREATE OR REPLACE VIEW v AS SELECT TRUE",
    "INSERT INTO category (Categ_Name) VALUES ('DROP TABLE users; -- ')",
    "UPDATE `drop` SET a = 'schema_migrations'",
    "-- removes data\nALTER TABLE users DROP COLUMN User_Status",
    "-- Why.\n  -- removes data  \n\nDROP TABLE category; DELETE FROM orders",
  ])("say: %s", (sql) => {
    expect(() => migrationStatements({ name: "0001_a", sql }, "shop")).not.toThrow();
  });

  it.each([
    [
      "ALTER TABLE users\n  DROP COLUMN User_Status",
      'line 1 says DROP. If that is meant, write the comment "-- removes data"',
    ],
    ["ALTER TABLE a ADD b int;\nDELETE FROM users", "line 2 says DELETE"],
    ["DROP TABLE users -- removes data", "says DROP"],
    ["INSERT INTO a VALUES ('\n-- removes data\n'); DROP TABLE users", "says DROP"],
    ["-- removes data\nTRUNCATE TABLE users", 'begins with "TRUNCATE TABLE"'],
    ["-- removes data\nALTER TABLE users TRUNCATE PARTITION p", "says TRUNCATE"],
    ["-- removes data\nDROP DATABASE shop", 'begins with "DROP DATABASE"'],
    ["USE mysql", 'begins with "USE mysql"'],
    ["GRANT ALL ON *.* TO a", 'begins with "GRANT ALL"'],
    ["START TRANSACTION", 'begins with "START TRANSACTION"'],
    ["CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET @a = 1", 'begins with "CREATE TRIGGER"'],
    ["CREATE TEMPORARY TABLE t (a int)", 'begins with "CREATE TEMPORARY"'],
    ["ALTER TABLE shop.users ADD a int", 'names the database "shop"'],
    ["UPDATE `schema_migrations` SET name = ''", "the record of the migrations themselves"],
    ["-- nothing", "Migration 0001_a holds no statement"],
    ["ALTER TABLE a COMMENT 'open", "Migration 0001_a opens a ' on line 1"],
    ["/*!80000 DROP TABLE users */", "Migration 0001_a was refused"],
  ])("not say: %s", (sql, message) => {
    expect(() => migrationStatements({ name: "0001_a", sql }, "shop")).toThrow(message);
    expect(() => migrationStatements({ name: "0001_a", sql }, "shop")).toThrow("Migration 0001_a");
  });
});

it("a schema file that cannot be read is an error that names it", () => {
  expect(() => readSchemaFile("/nowhere")).toThrow(
    /^The schema file \/nowhere\/ecommerceSchema\.sql cannot be read \(ENOENT\)\. Restore it\.$/,
  );
});

describe("the folder of migrations", () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "ecommerce-migrations-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  it("is read in order, with the same line ends everywhere, and refuses a file that is not a migration", () => {
    writeFileSync(path.join(folder, "0002_b.sql"), "ALTER TABLE a ADD c int;\r\n");
    writeFileSync(path.join(folder, "0001_a.sql"), "ALTER TABLE a ADD b int;\n");
    writeFileSync(path.join(folder, "README.md"), "");
    writeFileSync(path.join(folder, ".hidden"), "");
    expect(readMigrations(folder)).toEqual([
      { name: "0001_a", sql: "ALTER TABLE a ADD b int;\n" },
      { name: "0002_b", sql: "ALTER TABLE a ADD c int;\n" },
    ]);
    writeFileSync(path.join(folder, "0003_c.sql~"), "");
    expect(() => readMigrations(folder)).toThrow("0003_c.sql~ is not a migration");
  });

  it("of this project can be applied as it stands", () => {
    for (const migration of readMigrations())
      expect(() => migrationStatements(migration, "ecommerce_db")).not.toThrow();
  });
});
