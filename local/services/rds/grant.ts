/** Brings the privileges of one account in one place (`*.*`, a database, a table) to exactly those that are wanted. */
import type { Session } from "../../mysql/session";
import { identifier } from "../../mysql/sql";

export interface WantedGrant {
  /** `'user'@'host'` */
  readonly account: string;
  /** `*.*`, `` `database`.* `` or `` `database`.`table` `` */
  readonly place: string;
  /** As the program names them: `SELECT`, `insert (a, b)`, `ALL`. */
  readonly privileges: readonly string[];
  /** May the account pass them on? */
  readonly grant: boolean;
}

const all = "ALL PRIVILEGES";
const grantOption = "GRANT OPTION";

/** What is missing is granted first and what is too much revoked then: what stays is never missing in between. */
export async function applyGrant(session: Session, what: string, wanted: WantedGrant): Promise<void> {
  const { account, place } = wanted;
  const goal = new Set(wanted.privileges.flatMap(readPrivilege));
  if (wanted.grant) goal.add(grantOption);
  const before = await present(session, what, wanted);
  // What REVOKE of one privilege leaves of ALL differs between MySQL versions: revoke everything and grant anew.
  if (before.has(all) && !goal.has(all)) {
    await session.run(what, `REVOKE ALL PRIVILEGES ON ${place} FROM ${account}`);
  }
  const list = wanted.privileges.join(", ");
  await session.run(what, `GRANT ${list} ON ${place} TO ${account}${wanted.grant ? " WITH GRANT OPTION" : ""}`);
  const surplus = [...(await present(session, what, wanted))].filter(
    (privilege) => !goal.has(privilege) && (privilege === grantOption || !goal.has(all)),
  );
  for (const privilege of surplus) await session.run(what, `REVOKE ${privilege} ON ${place} FROM ${account}`);
}

async function present(session: Session, what: string, { account, place }: WantedGrant): Promise<Set<string>> {
  const rows = await session.run(what, `SHOW GRANTS FOR ${account}`);
  return readGrants(
    rows.map((row) => String(Object.values(row)[0])),
    place,
  );
}

/**
 * Reads what `SHOW GRANTS` says of one place.
 * @returns privileges, those on columns one by one: ``SELECT (`a`)``
 */
export function readGrants(grants: readonly string[], place: string): Set<string> {
  const found = new Set<string>();
  for (const line of grants) {
    // Names are quoted in the answer, and may hold anything; the place is compared as a whole.
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
