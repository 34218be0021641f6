import { codeOf } from "./connection";
import { schemaError } from "./error";
import type { Send } from "./migrate";
import type { SchemaUser } from "./plan";
import { quoted } from "./shape";

/** `created`, got the plan's password, or kept its own. */
export type UserChange = "created" | "passwordSet" | "passwordKept";

/**
 * Makes the user, who must use TLS, and gives it exactly what the plan says: privileges on the table `users`, and where it
 * changes its own password the right to have two. What is missing is granted first and what is too much revoked then, so
 * that the user never lacks anything in between.
 *
 * @throws SchemaError naming the statement, with `***` for the password, and MySQL's code: its message could quote it
 */
export async function ensureUser(send: Send, user: SchemaUser, database: string): Promise<UserChange> {
  const { name, password, rotated } = user;
  const account = `${literal(name)}@'%'`;
  const order = async (statement: string) => {
    try {
      return await send(statement);
    } catch (error) {
      const code = codeOf(error) || "the connection was lost";
      // Neither the message nor the error itself goes any further: both may have the statement in them.
      const shown = statement.replaceAll(literal(password), "'***'");
      throw schemaError(`The database user could not be made ready (${shown}): ${code}.`, { code });
    }
  };
  const known = `SELECT 1 FROM information_schema.user_attributes WHERE user = ${literal(name)} AND host = '%'`;
  const found = (await order(known)) as unknown[];
  const change: UserChange = found.length === 0 ? "created" : rotated ? "passwordKept" : "passwordSet";
  const identified = `${account} IDENTIFIED BY ${literal(password)} REQUIRE SSL`;
  if (change === "created") await order(`CREATE USER IF NOT EXISTS ${identified}`);
  if (change === "passwordKept") await order(`ALTER USER ${account} REQUIRE SSL`);
  if (change === "passwordSet") {
    await order(`ALTER USER ${identified}`);
    // What a rotation that was turned off has left.
    await order(`ALTER USER ${account} DISCARD OLD PASSWORD`);
  }
  await grantExactly(order, account, user, `${quoted(database)}.${quoted("users")}`);
  return change;
}

const twoPasswords = "APPLICATION_PASSWORD_ADMIN";

/** @throws SchemaError for a user that MySQL could not have, or whose privileges are no words */
export function refuseUnfitUser({ name, password, privileges }: SchemaUser): void {
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
  order: (statement: string) => Promise<unknown>,
  account: string,
  { privileges, rotated }: SchemaUser,
  table: string,
): Promise<void> {
  await order(`GRANT ${privileges.join(", ")} ON ${table} TO ${account}`);
  if (rotated) await order(`GRANT ${twoPasswords} ON *.* TO ${account}`);
  const wanted: Record<string, readonly string[]> = {
    "*.*": ["USAGE", ...(rotated ? [twoPasswords] : [])],
    [table]: privileges,
  };
  const rows = (await order(`SHOW GRANTS FOR ${account}`)) as Record<string, string>[];
  for (const row of rows) {
    const { rights, place } = readGrant(Object.values(row)[0]!);
    const tooMuch = rights.filter((right) => !wanted[place ?? ""]?.includes(right));
    if (tooMuch.length > 0) await order(`REVOKE ${tooMuch.join(", ")}${place ? ` ON ${place}` : ""} FROM ${account}`);
  }
}

/** Takes apart a line of `SHOW GRANTS`; the right to hand a privilege on is one more, and a role has no place. */
function readGrant(line: string): { rights: string[]; place: string | undefined } {
  const [, list = "", place, option] = /^GRANT (.+?)(?: ON (.+))? TO `(?:[^`]|``)*`@`%`( WITH .*)?$/.exec(line) ?? [];
  // Privileges on columns have commas in parentheses: SELECT (`a`, `b`), INSERT
  const rights = list.match(/[^,(]+(\([^)]*\))?/g)?.map((right) => right.trim()) ?? [];
  return { rights: option?.includes("GRANT OPTION") ? [...rights, "GRANT OPTION"] : rights, place };
}

/** A text as MySQL reads it back in the session's mode, in which a backslash escapes; it takes no placeholder here. */
function literal(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
