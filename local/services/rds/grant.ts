/** Sets the privileges of one account in one place (`*.*`, a database, a table) to exactly the desired ones. */
import type { Session } from "../../mysql/session";
import { identifier } from "../../mysql/sql";

export interface DesiredGrant {
  /** `'user'@'host'` */
  readonly account: string;
  /** `*.*`, `` `database`.* `` or `` `database`.`table` `` */
  readonly place: string;
  /** As the program writes them: `SELECT`, `insert (a, b)`, `ALL`. */
  readonly privileges: readonly string[];
  /** Whether the account may grant them to others. */
  readonly grant: boolean;
}

const all = "ALL PRIVILEGES";
const grantOption = "GRANT OPTION";

/**
 * Grants the missing privileges first and then revokes the surplus ones, so that a privilege that stays is never
 * missing in between. The exception is an account that has ALL and is to have less.
 */
export async function applyGrant(session: Session, what: string, desired: DesiredGrant): Promise<void> {
  const { account, place } = desired;
  const goal = new Set(desired.privileges.flatMap(readPrivilege));
  if (desired.grant) goal.add(grantOption);
  const before = await present(session, what, desired);
  // What remains of ALL after REVOKE of one privilege differs between MySQL versions: revoke all and grant again.
  if (before.has(all) && !goal.has(all)) {
    await session.run(what, `REVOKE ALL PRIVILEGES ON ${place} FROM ${account}`);
  }
  const list = desired.privileges.join(", ");
  await session.run(what, `GRANT ${list} ON ${place} TO ${account}${desired.grant ? " WITH GRANT OPTION" : ""}`);
  const surplus = [...(await present(session, what, desired))].filter(
    (privilege) => !goal.has(privilege) && (privilege === grantOption || !goal.has(all)),
  );
  for (const privilege of surplus) await session.run(what, `REVOKE ${privilege} ON ${place} FROM ${account}`);
}

async function present(session: Session, what: string, { account, place }: DesiredGrant): Promise<Set<string>> {
  const rows = await session.run(what, `SHOW GRANTS FOR ${account}`);
  return readGrants(
    rows.map((row) => String(Object.values(row)[0])),
    place,
  );
}

/**
 * Parses the output of `SHOW GRANTS` for one place.
 * @returns privileges, with one entry for each column that a privilege is limited to: ``SELECT (`a`)``
 */
export function readGrants(grants: readonly string[], place: string): Set<string> {
  const found = new Set<string>();
  for (const line of grants) {
    // The server quotes names, and a name may contain any character, so the place is compared as a whole.
    const match = /^GRANT (.+?) ON (.+) TO .+?( WITH GRANT OPTION)?$/.exec(line);
    if (match?.[1] === undefined || match[2] !== place) continue;
    for (const privilege of split(match[1]).flatMap(readPrivilege)) found.add(privilege);
    if (match[3] !== undefined) found.add(grantOption);
  }
  found.delete("USAGE");
  return found;
}

/** `insert (a, b)` → ``INSERT (`a`)``, ``INSERT (`b`)``; `all` → `ALL PRIVILEGES` */
function readPrivilege(text: string): string[] {
  const match = /^\s*([a-z_ ]+?)\s*(?:\(([^)]*)\))?\s*$/i.exec(text);
  const name = (match?.[1] ?? text).toUpperCase().replace(/\s+/g, " ");
  if (match?.[2] !== undefined) {
    const columns = match[2].split(",").map((column) => column.trim().replace(/^`(.*)`$/, "$1"));
    return columns.map((column) => `${name} (${identifier(column)})`);
  }
  return [name === "ALL" ? all : name];
}

/** Splits at commas that are not inside parentheses. */
function split(list: string): string[] {
  return list.match(/[^,(]+(\([^)]*\))?/g) ?? [];
}
