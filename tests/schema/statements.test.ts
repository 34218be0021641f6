import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createdTables, harmlessStatementsOf, statementsOf } from "../../schema/statements";
import { schemaFile } from "./support";

describe("statementsOf", () => {
  it.each([
    ["a semicolon in a string", "INSERT INTO t VALUES (';'); USE a", 2],
    ["a semicolon in double quotes", 'INSERT INTO t VALUES (";"); USE a', 2],
    ["a semicolon in a name", "CREATE TABLE `a;b` (c int); USE a", 2],
    ["an escaped quote", "INSERT INTO t VALUES ('\\';'); USE a", 2],
    ["a doubled quote", "INSERT INTO t VALUES ('a'';b'); USE a", 2],
    ["a backslash at the end of a string", "INSERT INTO t VALUES ('\\\\'); USE a", 2],
    ["a backslash in a name, where it is none", "CREATE TABLE `a\\` (b int); USE a", 2],
    ["a doubled backquote", "CREATE TABLE `a``;b` (c int); USE a", 2],
    ["a semicolon behind two dashes", "USE a -- ; no\n; USE b", 2],
    ["a semicolon behind a hash", "USE a # ; no\n; USE b", 2],
    ["a semicolon in a block comment", "USE a /* ; ' */; USE b", 2],
    ["two dashes without a blank, which are no comment", "INSERT INTO t VALUES (5--1); USE a", 2],
    ["a quote in a comment", "-- it's\nUSE a; USE b", 2],
    ["empty statements", ";;USE a;;\n;", 1],
    ["no closing semicolon", "USE a", 1],
    ["only comments", "-- nothing\n/* here */ # at all", 0],
    ["nothing", "", 0],
  ])("handles %s", (_what, sql, count) => {
    expect(statementsOf(sql)).toHaveLength(count);
  });

  it("gives each statement as it stands in the file, with its line", () => {
    const statements = statementsOf("-- one\nUSE `a` ;\r\n\n/* two\n */ CREATE TABLE t (\n  b int -- c\n);");
    expect(statements.map(({ text, line }) => [text, line])).toEqual([
      ["USE `a`", 2],
      ["CREATE TABLE t (\n  b int -- c\n)", 5],
    ]);
  });

  it.each([
    ["'", "USE a;\nINSERT INTO t VALUES ('x"],
    ['"', 'USE a;\nINSERT INTO t VALUES ("x\\"'],
    ["`", "USE a;\nUSE `x"],
    ["/*", "USE a;\n/* x"],
  ])("refuses an unclosed %s and names its line", (opening, sql) => {
    expect(() => statementsOf(sql)).toThrow(expect.objectContaining({ name: "SchemaError", line: 2 }));
    expect(() => statementsOf(sql)).toThrow(`opens ${opening === "/*" ? "/*" : `a ${opening}`} on line 2`);
  });

  it("finds the same statements whatever strings, names and comments hold", () => {
    const content = fc.string({ maxLength: 20 });
    const string = content.map((text) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`);
    const name = content.map((text) => `\`${text.replaceAll("`", "``")}\``);
    const comment = content.map((text) => `/* ${text.replaceAll("*/", "* /")} */`);
    const statement = fc
      .tuple(fc.array(fc.oneof(string, name, comment), { minLength: 1, maxLength: 4 }))
      .map(([parts]) => `INSERT ${parts.join(" ")}`);
    fc.assert(
      fc.property(fc.array(statement, { maxLength: 5 }), (statements) => {
        expect(statementsOf(statements.join(";\n"))).toHaveLength(statements.length);
      }),
    );
  });
});

describe("harmlessStatementsOf", () => {
  it.each([
    ["DROP TABLE users", "DROP"],
    ["drop\ttable users", "drop"],
    ["DROP/**/DATABASE ecommerce_db", "DROP"],
    ["TRUNCATE users", "TRUNCATE"],
    ["ALTER TABLE users DROP COLUMN User_Email", "DROP"],
    ["ALTER TABLE users ADD a int, dRoP INDEX User_Email", "DROP"],
    ["ALTER TABLE users -- '\n DROP PRIMARY KEY", "DROP"],
    ["ALTER TABLE users TRUNCATE PARTITION p", "TRUNCATE"],
    ["ALTER TABLE users DISCARD TABLESPACE", "DISCARD"],
    ["DELETE FROM users", "DELETE FROM"],
    ["UPDATE users SET User_Status = 0", "UPDATE users"],
    ["REPLACE INTO users VALUES (1)", "REPLACE INTO"],
    ["RENAME TABLE users TO gone", "RENAME TABLE"],
    ["SET sql_mode = 'NO_BACKSLASH_ESCAPES'", "SET sql_mode"],
    ["PREPARE s FROM 'DROP TABLE users'", "PREPARE s"],
    ["CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM users", "CREATE EVENT"],
    ["CREATE OR REPLACE VIEW v AS SELECT 1", "CREATE OR"],
    ["CREATE USER a", "CREATE USER"],
    ["GRANT ALL ON *.* TO a", "GRANT ALL"],
    ["DELIMITER //", "DELIMITER /"],
    ["LOAD DATA INFILE 'x' INTO TABLE users", "LOAD DATA"],
    ["/*! DROP TABLE users */", "executable comment"],
    ["/*!50110 DROP TABLE users */", "executable comment"],
    ["USE a; /*!99999 ' */ DROP TABLE users; -- '", "executable comment"],
    ["INSERT INTO t VALUES ('\\\\'); DROP TABLE users; -- ')", "DROP"],
    ['INSERT INTO t VALUES ("\\\\"); DROP TABLE users; -- ")', "DROP"],
    ["CREATE TABLE `a\\`; DROP TABLE users; -- `", "DROP"],
  ])("refuses %s", (hostile, found) => {
    expect(() => harmlessStatementsOf(`USE a;\n${hostile};`)).toThrow(expect.objectContaining({ name: "SchemaError" }));
    expect(() => harmlessStatementsOf(`USE a;\n${hostile};`)).toThrow(found);
    expect(() => harmlessStatementsOf(`USE a;\n${hostile};`)).toThrow("refused before anything was sent");
  });

  it.each([
    "CREATE TABLE `drop` (`truncate` int COMMENT 'DROP TABLE users')",
    "INSERT INTO t VALUES ('\\'; DROP TABLE users; -- ')",
    "CREATE TABLE t (a int) -- DROP TABLE users",
    "CREATE TABLE t (a int /* DROP */)",
    "CREATE TABLE backdrop (a int)",
    "CREATE TABLE t (a int, FOREIGN KEY (a) REFERENCES u (a) ON DELETE CASCADE)",
    "ALTER TABLE t ADD COLUMN a int, ADD INDEX (a)",
    "CREATE UNIQUE INDEX i ON t (a)",
  ])("accepts %s", (sql) => {
    expect(harmlessStatementsOf(sql)).toHaveLength(1);
  });

  it("names the line of the word, not of the statement", () => {
    expect(() => harmlessStatementsOf("USE a;\nALTER TABLE t\n  ADD b int,\n  DROP c;")).toThrow("line 4 says DROP");
  });

  it.each([
    "USE other",
    "CREATE DATABASE other",
    "create schema if not exists `other`",
    "ALTER DATABASE other READ ONLY = 1",
  ])("refuses %s where the tables belong elsewhere", (sql) => {
    expect(() => harmlessStatementsOf(sql, "ecommerce_db")).toThrow(/"other".*"ecommerce_db"/);
    expect(harmlessStatementsOf(sql, "other")).toHaveLength(1);
  });

  it("refuses a file without a statement", () => {
    expect(() => harmlessStatementsOf("-- later\n")).toThrow("holds no statement");
  });

  it("accepts the project's own file", () => {
    expect(createdTables(harmlessStatementsOf(schemaFile, "ecommerce_db"))).toHaveLength(6);
  });
});

it("createdTables finds names with and without IF NOT EXISTS and a database", () => {
  const sql =
    "CREATE TABLE a (x int); CREATE TABLE IF NOT EXISTS `b c` (x int); CREATE TABLE d.`e` LIKE a; CREATE DATABASE f";
  expect(createdTables(statementsOf(sql))).toEqual(["a", "b c", "e"]);
});
