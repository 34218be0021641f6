import { part } from "./dom.js";
import { Problem, problemOf, unreachable, wordsOf } from "./problems.js";

/**
 * Shows the row of `users` that the registration function created for the signed-in person.
 *
 * @param {import("./settings.js").Settings} settings
 * @param {import("./session.js").Session} session
 * @param {(error: unknown) => boolean} endsSession shows the sign-in page if the error ended the session, and returns
 *   whether it did
 */
export function showRow(settings, session, endsSession) {
  const note = part(document, "row-note", HTMLElement);
  const again = part(document, "row-again", HTMLButtonElement);
  const { rowPath } = settings;
  if (rowPath === undefined) {
    note.textContent =
      "Your row is in the table users of the database. It cannot be shown here: on AWS nothing leads from a browser to " +
      "the database.";
    return;
  }
  const load = async () => {
    again.hidden = true;
    note.textContent = "Looking for your row …";
    try {
      const row = await readRow(rowPath, await session.accessToken());
      note.textContent = row
        ? "The registration function made this row of the table users."
        : "There is no row for you in the table users yet.";
      again.hidden = row !== undefined;
      fill(row ?? {});
    } catch (error) {
      if (endsSession(error)) return;
      note.textContent = wordsOf(error);
      again.hidden = false;
    }
  };
  again.addEventListener("click", load);
  load();
}

/**
 * @param {string} path
 * @param {string} token
 * @returns {Promise<Record<string, unknown> | undefined>}
 */
async function readRow(path, token) {
  const response = await fetch(path, { headers: { authorization: `Bearer ${token}` } }).catch(() => {
    throw new Problem(unreachable("the server of this page", location.href));
  });
  if (response.status === 404) return undefined;
  if (!response.ok) throw problemOf(response.status, "Your row");
  return response.json();
}

/** @param {Record<string, unknown>} row */
function fill(row) {
  const cells = Object.entries(row).flatMap(([column, value]) => {
    const [name, content] = [document.createElement("dt"), document.createElement("dd")];
    name.textContent = column;
    content.textContent = value === null ? "NULL" : String(value);
    content.classList.toggle("quiet", value === null);
    return [name, content];
  });
  part(document, "row", HTMLElement).replaceChildren(...cells);
}
