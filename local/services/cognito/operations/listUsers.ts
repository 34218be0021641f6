import { invalidParameter } from "../errors";
import { type Input, optionalText, textList, wholeNumber } from "../input";
import type { Pool } from "../pools";
import type { CognitoState } from "../state";
import type { User } from "../users";
import { userType } from "./administer";

/** Cognito's maximum for one page. */
const mostPerPage = 60;

/**
 * Positions are valid in one run only: a restart may close the gaps that deleted users left. A token of another run is
 * refused, because it could skip users.
 */
const run = Date.now().toString(36);

/** @see https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ListUsers.html */
export async function listUsers(_state: CognitoState, input: Input, pool: Pool): Promise<object> {
  const limit = wholeNumber(input, "Limit", 0, mostPerPage, mostPerPage) || mostPerPage;
  const names = textList(input, "AttributesToGet");
  if (names?.some((name) => !pool.settings.schema[name])) {
    throw invalidParameter("One or more requested attributes do not exist.");
  }
  const matches = parseFilter(optionalText(input, "Filter") ?? "");
  const Users: object[] = [];
  let position = positionOf(optionalText(input, "PaginationToken"), pool);
  for (const [user, next] of pool.users.from(position)) {
    if (!matches(user)) continue;
    // The page is full and another user matches: only then there is another page.
    if (Users.length === limit) return { Users, PaginationToken: tokenOf(position, pool) };
    Users.push(userType(user, names));
    position = next;
  }
  return { Users };
}

function tokenOf(position: number, pool: Pool): string {
  return Buffer.from(JSON.stringify([run, pool.id, position])).toString("base64url");
}

function positionOf(token: string | undefined, pool: Pool): number {
  if (token === undefined) return 0;
  try {
    const [ofRun, ofPool, position] = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
    if (ofRun === run && ofPool === pool.id && Number.isSafeInteger(position) && position >= 0) return position;
  } catch {
    // Not JSON: refused below like any other wrong token.
  }
  throw invalidParameter("Invalid pagination token.");
}

const filterable: Readonly<Record<string, (user: User) => string | undefined>> = {
  username: (user) => user.username,
  "cognito:user_status": (user) => user.status,
  status: (user) => (user.enabled ? "Enabled" : "Disabled"),
  ...Object.fromEntries(
    ["sub", "email", "phone_number", "name", "given_name", "family_name", "preferred_username"].map((name) => [
      name,
      (user: User) => user.attributes[name],
    ]),
  ),
};

/**
 * `attribute = "value"` or `attribute ^= "value"` (starts with); quotes inside are escaped by a backslash. E-mail
 * addresses and states are compared without regard to case, all else exactly.
 * @throws InvalidParameterException
 */
export function parseFilter(filter: string): (user: User) => boolean {
  if (filter.trim() === "") return () => true;
  const match = /^\s*("?)([\w:]+)\1\s*(\^?=)\s*"((?:[^"\\]|\\.)*)"\s*$/.exec(filter);
  const read = match && Object.hasOwn(filterable, match[2]!) ? filterable[match[2]!] : undefined;
  if (!match || !read) {
    const names = Object.keys(filterable).join(", ");
    throw invalidParameter(
      `Error while parsing filter. Allowed: NAME = "VALUE" or NAME ^= "VALUE", NAME one of ${names}.`,
    );
  }
  const [, , name, operator, escaped] = match as unknown as [string, string, string, string, string];
  const fold = (text: string) =>
    ["email", "status", "cognito:user_status"].includes(name) ? text.toLowerCase() : text;
  const value = fold(escaped.replace(/\\(.)/g, "$1"));
  return (user) => {
    const actual = read(user);
    if (actual === undefined) return false;
    return operator === "=" ? fold(actual) === value : fold(actual).startsWith(value);
  };
}
