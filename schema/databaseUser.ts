import { codeOf } from "./connection";
import { schemaError } from "./error";
import type { Send } from "./migrate";
import type { SchemaUser } from "./plan";
import { quoted } from "./shape";

/** The user was created, got the plan's password, or kept its own password. */
export type UserChange = "created" | "passwordSet" | "passwordKept";

/**
 * Creates the user, who must use TLS, and gives it exactly the privileges of the plan: those on the table `users`, and
 * the right to have two passwords if it changes its own. Missing privileges are granted before surplus ones are
 * revoked, so that the user never lacks a privilege in between.
 *
 * @throws SchemaError naming the statement, with `***` for the password, and MySQL's code. MySQL's message is left out,
 *   because it could quote the password.
 */
export async function ensureUser(send: Send, user: SchemaUser, database: string): Promise<UserChange> {
  const { name, password, rotated } = user;
  const account = `${literal(name)}@'%'`;
  const execute = async (statement: string) => {
    try {
      return await send(statement);
    } catch (error) {
      const code = codeOf(error) || "the connection was lost";
      // Neither the message nor the error itself is passed on: both may contain the statement.
      const shown = statement.replaceAll(literal(password), "'***'");
      throw schemaError(`The database user could not be made ready (${shown}): ${code}.`, { code });
    }
  };
  const lookUp = `SELECT 1 FROM information_schema.user_attributes WHERE user = ${literal(name)} AND host = '%'`;
  const found = (await execute(lookUp)) as unknown[];
  const change: UserChange = found.length === 0 ? "created" : rotated ? "passwordKept" : "passwordSet";
  const identified = `${account} IDENTIFIED BY ${literal(password)} REQUIRE SSL`;
  if (change === "created") await execute(`CREATE USER IF NOT EXISTS ${identified}`);
  if (change === "passwordKept") await execute(`ALTER USER ${account} REQUIRE SSL`);
  if (change === "passwordSet") {
    await execute(`ALTER USER ${identified}`);
    // The second password that a rotation left before it was turned off.
    await execute(`ALTER USER ${account} DISCARD OLD PASSWORD`);
  }
  await grantExactly(execute, account, user, `${quoted(database)}.${quoted("users")}`);
  return change;
}

const twoPasswords = "APPLICATION_PASSWORD_ADMIN";

/**
 * @throws SchemaError for a name or password that MySQL could not have, or privileges that are not words in capitals
 */
export function validateUser({ name, password, privileges }: SchemaUser): void {
  if (name === "" || name.length > 32) {
    throw schemaError(`The database user's name has ${name.length} characters. Allowed are 1 to 32.`);
  }
  if (password === "") throw schemaError("The database user has an empty password. Give it one.");
  const words = privileges.every((privilege) => /^[A-Z]+( [A-Z]+)*$/.test(privilege));
  if (privileges.length === 0 || !words) {
    throw schemaError(
      `The database user's privileges are "${privileges.join(", ")}". Allowed are MySQL's words in capitals, such as INSERT.`,
    );
  }
}

async function grantExactly(
  execute: (statement: string) => Promise<unknown>,
  account: string,
  { privileges, rotated }: SchemaUser,
  table: string,
): Promise<void> {
  await execute(`GRANT ${privileges.join(", ")} ON ${table} TO ${account}`);
  if (rotated) await execute(`GRANT ${twoPasswords} ON *.* TO ${account}`);
  const allowed: Record<string, readonly string[]> = {
    "*.*": ["USAGE", ...(rotated ? [twoPasswords] : [])],
    [table]: privileges,
  };
  const rows = (await execute(`SHOW GRANTS FOR ${account}`)) as Record<string, string>[];
  for (const row of rows) {
    const { rights, place } = readGrant(Object.values(row)[0]!);
    const tooMuch = rights.filter((right) => !allowed[place ?? ""]?.includes(right));
    if (tooMuch.length > 0) await execute(`REVOKE ${tooMuch.join(", ")}${place ? ` ON ${place}` : ""} FROM ${account}`);
  }
}

/** Splits a line of `SHOW GRANTS`. GRANT OPTION counts as one more privilege, and a role has no place. */
function readGrant(line: string): { rights: string[]; place: string | undefined } {
  const [, list = "", place, option] = /^GRANT (.+?)(?: ON (.+))? TO `(?:[^`]|``)*`@`%`( WITH .*)?$/.exec(line) ?? [];
  // Privileges on columns have commas in parentheses: SELECT (`a`, `b`), INSERT
  const rights = list.match(/[^,(]+(\([^)]*\))?/g)?.map((right) => right.trim()) ?? [];
  return { rights: option?.includes("GRANT OPTION") ? [...rights, "GRANT OPTION"] : rights, place };
}

/** A string literal for the session's SQL mode, in which a backslash escapes; MySQL allows no placeholder here. */
function literal(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
