/**
 * Reads a schema file as MySQL's own lexer does, and refuses one that could destroy data. Does not connect to a server.
 */
import { schemaError } from "./error";

/** A lexical unit of SQL. Comments and white space are not tokens. */
export interface Token {
  /** `name` is an identifier in backquotes, without them; `word` is any other run of letters and digits. */
  readonly kind: "word" | "name" | "string" | "symbol";
  readonly text: string;
  /** Position in the file, in UTF-16 units: `start` of the first character, `end` after the last. */
  readonly start: number;
  readonly end: number;
}

/** One statement of a schema file. */
export interface Statement {
  /** The text as in the file, without the closing semicolon. */
  readonly text: string;
  /** Line of the file on which it begins, from 1. */
  readonly line: number;
  readonly tokens: readonly Token[];
}

/**
 * Splits SQL into tokens by the rules of MySQL's default SQL mode: backslashes escape inside strings, and `"` quotes a
 * string (the runner sets that mode for its session).
 *
 * @param what the name of the text in messages, with a capital, for the start of a sentence
 * @throws SchemaError for a string, name or comment that does not end, and for an executable comment
 * @see https://dev.mysql.com/doc/refman/8.4/en/comments.html
 * @see https://dev.mysql.com/doc/refman/8.4/en/string-literals.html
 */
function tokensOf(sql: string, what: string): Token[] {
  const tokens: Token[] = [];
  let start = 0;
  while (start < sql.length) {
    const end = endOfUnit(sql, start, what);
    const kind = kindAt(sql, start);
    if (kind !== "blank") {
      const text = sql.slice(start, end);
      tokens.push({ kind, text: kind === "name" ? text.slice(1, -1).replaceAll("``", "`") : text, start, end });
    }
    start = end;
  }
  return tokens;
}

/**
 * The statements of a file, in order, split at the semicolons that MySQL would split at.
 *
 * @param what the name of the file in messages, with a capital, for the start of a sentence
 * @throws SchemaError for a string, name or comment that does not end, and for an executable comment
 */
export function statementsOf(sql: string, what = "The schema file"): Statement[] {
  const statements: Statement[] = [];
  let tokens: Token[] = [];
  const close = () => {
    const [first, last] = [tokens[0], tokens.at(-1)];
    if (first && last) {
      statements.push({ text: sql.slice(first.start, last.end), line: lineAt(sql, first.start), tokens });
    }
    tokens = [];
  };
  for (const token of tokensOf(sql, what)) {
    if (token.kind === "symbol" && token.text === ";") close();
    else tokens.push(token);
  }
  close();
  return statements;
}

/**
 * The statements of a file that can only add: `CREATE` of a database, table, index or view, `ALTER` of a table or
 * database, `INSERT` and `USE`, and nowhere the words `DROP`, `TRUNCATE` or `DISCARD`.
 *
 * This is a list of what is allowed, because a list of what is forbidden would miss something: `RENAME`, `REPLACE`,
 * `LOAD DATA`, `PREPARE`, events, or a `SET sql_mode` after which the same text splits in another way.
 *
 * @param database the only database that the file may create or use, @default any
 * @throws SchemaError naming the line, what was found and what is allowed; also for a file without any statement
 */
export function harmlessStatementsOf(sql: string, database?: string): Statement[] {
  const statements = statementsOf(sql);
  if (statements.length === 0) {
    throw schemaError("The schema file holds no statement. It must hold at least one, ended by a semicolon.");
  }
  for (const statement of statements) {
    refuseUnlistedStatement(statement);
    refuseDestruction(sql, statement);
    if (database !== undefined) refuseOtherDatabase(statement, database);
  }
  return statements;
}

/** Names of the tables that the statements create, in their order, without the name of a database. */
export function createdTables(statements: readonly Statement[]): string[] {
  return statements.flatMap((statement) => {
    const [create, table, ...rest] = statement.tokens;
    if (!isWord(create, "CREATE") || !isWord(table, "TABLE")) return [];
    const [first, dot, second] = isWord(rest[0], "IF") ? rest.slice(3) : rest;
    const name = dot?.text === "." ? second : first;
    return name ? [name.text] : [];
  });
}

/** Whether the token is this keyword, given in capitals; a name in backquotes is never a keyword. */
export function isWord(token: Token | undefined, keyword: string): boolean {
  return token?.kind === "word" && token.text.toUpperCase() === keyword;
}

const creatable = ["DATABASE", "SCHEMA", "TABLE", "INDEX", "UNIQUE", "FULLTEXT", "SPATIAL", "VIEW"];
const alterable = ["DATABASE", "SCHEMA", "TABLE"];
const destructive = ["DROP", "TRUNCATE", "DISCARD"];

function refuseUnlistedStatement({ tokens, line }: Statement): void {
  const [first, second] = tokens;
  const oneOf = (words: readonly string[]) => words.some((word) => isWord(second, word));
  if (isWord(first, "USE") || isWord(first, "INSERT")) return;
  if (isWord(first, "CREATE") && oneOf(creatable)) return;
  if (isWord(first, "ALTER") && oneOf(alterable)) return;
  const found = tokens
    .slice(0, 2)
    .map((token) => token.text)
    .join(" ");
  throw schemaError(
    `The schema file was refused before anything was sent: line ${line} begins with "${shortened(found)}". ` +
      `Allowed are CREATE ${creatable.join("|")}, ALTER ${alterable.join("|")}, INSERT and USE, which remove nothing. ` +
      "Run a statement that removes or rewrites something by hand, on the server.",
    { line },
  );
}

function refuseDestruction(sql: string, { tokens }: Statement): void {
  const found = tokens.find((token) => destructive.some((word) => isWord(token, word)));
  if (!found) return;
  const line = lineAt(sql, found.start);
  throw schemaError(
    `The schema file was refused before anything was sent: line ${line} says ${found.text.toUpperCase()}, and a schema ` +
      "file never removes anything. Do that by hand, on the server; where it is a name, put it in backquotes.",
    { line },
  );
}

function refuseOtherDatabase({ tokens, line }: Statement, database: string): void {
  const [first, second, ...rest] = tokens;
  let name: Token | undefined;
  if (isWord(first, "USE")) name = second;
  else if (isWord(second, "DATABASE") || isWord(second, "SCHEMA")) name = isWord(rest[0], "IF") ? rest[3] : rest[0];
  if (!name || name.text === database) return;
  throw schemaError(
    `The schema file was refused before anything was sent: line ${line} names the database "${shortened(name.text)}", ` +
      `but its tables belong in "${database}". Use one name in the file and in the program's databaseName.`,
    { line },
  );
}

/** Line of a position, from 1. */
function lineAt(sql: string, position: number): number {
  return sql.slice(0, position).split("\n").length;
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function isDashComment(sql: string, start: number): boolean {
  // MySQL requires a blank, a control character or the end after the dashes: 5--1 is a subtraction.
  return sql.startsWith("--", start) && (start + 2 >= sql.length || sql.charCodeAt(start + 2) <= 32);
}

function isWordCharacter(character: string): boolean {
  return /[\w$\u0080-\uffff]/.test(character);
}

function kindAt(sql: string, start: number): Token["kind"] | "blank" {
  const character = sql.charAt(start);
  if (/\s/.test(character) || character === "#" || sql.startsWith("/*", start) || isDashComment(sql, start)) {
    return "blank";
  }
  if (character === "`") return "name";
  if (character === "'" || character === '"') return "string";
  return isWordCharacter(character) ? "word" : "symbol";
}

/** The end of the token, comment or blank that begins at `start`. */
function endOfUnit(sql: string, start: number, what: string): number {
  const character = sql.charAt(start);
  if (character === "`" || character === "'" || character === '"') return endOfQuoted(sql, start, character, what);
  if (sql.startsWith("/*", start)) return endOfBlockComment(sql, start, what);
  if (character === "#" || isDashComment(sql, start)) {
    const newline = sql.indexOf("\n", start);
    return newline < 0 ? sql.length : newline + 1;
  }
  let end = start + 1;
  if (isWordCharacter(character)) while (end < sql.length && isWordCharacter(sql.charAt(end))) end += 1;
  return end;
}

function endOfQuoted(sql: string, start: number, quote: string, what: string): number {
  for (let at = start + 1; at < sql.length; at += 1) {
    const character = sql.charAt(at);
    if (character === "\\" && quote !== "`") at += 1;
    else if (character === quote) {
      if (sql.charAt(at + 1) !== quote) return at + 1;
      at += 1;
    }
  }
  const line = lineAt(sql, start);
  throw schemaError(`${what} opens a ${quote} on line ${line} and never closes it. Close it.`, { line });
}

function endOfBlockComment(sql: string, start: number, what: string): number {
  const line = lineAt(sql, start);
  // Whether MySQL runs the content depends on the server's version, so this code cannot interpret it for every server.
  if (sql.charAt(start + 2) === "!") {
    throw schemaError(
      `${what} was refused before anything was sent: line ${line} has an executable comment (/*! … */), which ` +
        "some servers run and some do not. Write the statement plainly, or remove it.",
      { line },
    );
  }
  const close = sql.indexOf("*/", start + 2);
  if (close < 0) throw schemaError(`${what} opens /* on line ${line} and never closes it. Close it.`, { line });
  return close + 2;
}
