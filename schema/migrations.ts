/** Reads migrations: their names, their order, and what they may do. Does not connect to a server. */
import { schemaError } from "./error";
import type { Migration } from "./plan";
import { isWord, type Statement, statementsOf } from "./statements";

/** The table that records what was applied. */
export const recordTable = "schema_migrations";

/** The name of the schema file itself in that table. */
export const baselineName = "0000_ecommerceSchema";

/** This comment line, before the first statement, allows a migration to remove data. */
const removalMarker = "-- removes data";

/**
 * The migrations in the order of their numbers.
 *
 * @throws SchemaError for a name that is not of the form `0001_what_it_does`, and for a number that is missing or used
 *   twice, for example because two branches have each added the next one
 */
export function orderedMigrations(migrations: readonly Migration[]): Migration[] {
  const ordered = [...migrations].sort((one, other) => (one.name < other.name ? -1 : 1));
  ordered.forEach(({ name }, index) => {
    if (!/^\d{4}(_[a-z0-9]+)+$/.test(name) || name.length > 100) {
      throw schemaError(
        `The migration "${name}" has a name that says no order. Allowed are four digits and words in lower case, joined by ` +
          "underscores, up to 100 characters: 0001_add_order_status.sql.",
      );
    }
    const before = ordered[index - 1]?.name;
    const expected = String(index + 1).padStart(4, "0");
    if (before?.slice(0, 4) === name.slice(0, 4)) {
      throw schemaError(
        `Two migrations have the number ${name.slice(0, 4)}: ${before} and ${name}. Give the one that is not deployed yet ` +
          "the next number.",
      );
    }
    if (name.slice(0, 4) !== expected) {
      throw schemaError(
        `The migration ${name} stands where number ${expected} should be. Migrations are numbered from 0001 without a ` +
          `gap: restore the missing file, or name this one ${expected}${name.slice(4)} if it is not deployed yet.`,
      );
    }
  });
  return ordered;
}

/**
 * The statements of a migration: `CREATE` and `ALTER` of tables, indexes and views, `INSERT` and `UPDATE`; with the
 * comment `-- removes data` before the first of them also `DROP` and `DELETE`.
 *
 * This is a list of what is allowed, as for the schema file, and for one more reason: after a run that was cut off, the
 * next run must find out whether a statement was executed. For these statements it can: rows change in one transaction
 * with the record, and every other statement changes how MySQL describes the tables, or is harmless when it is
 * repeated.
 *
 * @param database a name that no statement may mention before a dot: a migration belongs to the database it is applied to
 * @throws SchemaError naming the migration, the line, what was found and what is allowed
 */
export function migrationStatements({ name, sql }: Migration, database: string): Statement[] {
  const statements = statementsOf(sql, `Migration ${name}`);
  const first = statements[0];
  if (!first) {
    throw schemaError(`Migration ${name} holds no statement. It must hold at least one, ended by a semicolon.`);
  }
  const heading = sql.slice(0, first.tokens[0]!.start).split("\n");
  const mayRemove = heading.some((line) => line.trim() === removalMarker);
  for (const statement of statements) {
    const problem = problemOf(statement, mayRemove, database);
    if (problem !== undefined) {
      const { line } = statement;
      throw schemaError(`Migration ${name} was refused before anything was sent: line ${line} ${problem}`, { line });
    }
  }
  return statements;
}

/** Whether the statement changes rows only, so that it can be rolled back until it is committed. */
export function changesRows({ tokens }: Statement): boolean {
  return rowStatements.some((word) => isWord(tokens[0], word));
}

const rowStatements = ["INSERT", "UPDATE", "DELETE"];
const tableParts = ["TABLE", "INDEX", "VIEW"];
const creatable = ["TABLE", "INDEX", "UNIQUE", "FULLTEXT", "SPATIAL", "VIEW"];

/** What is wrong with the statement, as the end of a sentence; undefined if nothing is. */
function problemOf({ tokens }: Statement, mayRemove: boolean, database: string): string | undefined {
  const [first, second, third, fourth] = tokens;
  const oneOf = (token: typeof first, words: readonly string[]) => words.some((word) => isWord(token, word));
  const isAllowed =
    oneOf(first, rowStatements) ||
    (isWord(first, "CREATE") && oneOf(second, creatable)) ||
    (isWord(first, "CREATE") && isWord(second, "OR") && isWord(third, "REPLACE") && isWord(fourth, "VIEW")) ||
    (isWord(first, "ALTER") && isWord(second, "TABLE")) ||
    (isWord(first, "DROP") && oneOf(second, tableParts));
  if (!isAllowed) {
    const found = tokens
      .slice(0, 2)
      .map((token) => token.text.slice(0, 40))
      .join(" ");
    return (
      `begins with "${found}". Allowed are CREATE ${creatable.join("|")}, CREATE OR REPLACE VIEW, ALTER TABLE, INSERT, ` +
      `UPDATE, and after the comment "${removalMarker}" also DROP ${tableParts.join("|")} and DELETE.`
    );
  }
  const changesTables = oneOf(first, ["ALTER", "CREATE", "DROP"]);
  const discard = changesTables && tokens.find((token) => oneOf(token, ["TRUNCATE", "DISCARD"]));
  if (discard) {
    return `says ${discard.text.toUpperCase()}. A later run could not find out whether that was done. Use DELETE.`;
  }
  const drops = changesTables && tokens.some((token) => isWord(token, "DROP"));
  if (!mayRemove && (drops || isWord(first, "DELETE"))) {
    const word = drops ? "DROP" : "DELETE";
    return (
      `says ${word}. If that is meant, write the comment "${removalMarker}" on a line of its own before the first ` +
      "statement; where it is a name, put it in backquotes."
    );
  }
  const qualified = tokens.find((token, index) => token.text === database && tokens[index + 1]?.text === ".");
  if (qualified) return `names the database "${database}". Leave it out: a migration is applied to its own database.`;
  if (tokens.some((token) => token.text.toLowerCase() === recordTable)) {
    return `names ${recordTable}, which is the record of the migrations themselves.`;
  }
  return undefined;
}
