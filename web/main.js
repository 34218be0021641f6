import { part, showProblem } from "./dom.js";
import { showGallery } from "./gallery.js";
import { askBeforeUnload, askToLeave } from "./leaving.js";
import { Problem, wordsOf } from "./problems.js";
import { Remembered } from "./remembered.js";
import { showRow } from "./row.js";
import { Session } from "./session.js";
import { loadSettings } from "./settings.js";
import { acceptUploads } from "./uploads.js";

/** @param {"loading" | "signed-out" | "signed-in" | "nothing"} name */
function show(name) {
  for (const view of ["loading", "signed-out", "signed-in"]) part(document, view, HTMLElement).hidden = view !== name;
  part(document, "account", HTMLElement).hidden = name !== "signed-in";
}

/**
 * @param {import("./settings.js").Settings} settings
 * @param {Session} session
 */
function showSignedOut({ mailbox }, session) {
  const hint = part(document, "mailbox-hint", HTMLElement);
  hint.hidden = mailbox === undefined;
  if (mailbox) part(hint, "mailbox", HTMLAnchorElement).href = mailbox;
  part(document, "sign-in", HTMLButtonElement).onclick = () => session.begin("/oauth2/authorize");
  part(document, "sign-up", HTMLButtonElement).onclick = () => session.begin("/signup");
  show("signed-out");
}

/**
 * @param {import("./settings.js").Settings} settings
 * @param {Session} session
 * @param {{ sub: string, email: string }} user
 */
function showSignedIn(settings, session, { sub, email }) {
  /** @param {unknown} error */
  const endsSession = (error) => {
    if (!(error instanceof Problem) || !error.signedOut) return false;
    session.forget();
    showProblem(error.message);
    showSignedOut(settings, session);
    return true;
  };
  const who = part(document, "who", HTMLElement);
  who.textContent = who.title = email;
  part(document, "email", HTMLElement).textContent = email;
  part(document, "sub", HTMLElement).textContent = sub;
  showRow(settings, session, endsSession);
  const remembered = new Remembered(settings.bucketName, sub);
  const gallery = showGallery({ settings, session, remembered, endsSession });
  const uploads = acceptUploads({ settings, session, endsSession, onUploaded: (picture) => gallery.add(picture) });
  askBeforeUnload(uploads.underWay);
  part(document, "sign-out", HTMLButtonElement).onclick = async () => {
    if (uploads.underWay() && !(await askToLeave())) return;
    uploads.cancel();
    await session.signOut();
  };
  show("signed-in");
}

async function start() {
  show("loading");
  const settings = await loadSettings();
  // The login pages redirect to the registered address only, and sessionStorage belongs to the page's origin.
  if (location.origin !== new URL(settings.webUrl).origin) {
    location.replace(settings.webUrl);
    return;
  }
  const session = new Session(settings);
  await session.finish().catch((error) => showProblem(wordsOf(error)));
  const { user } = session;
  if (user) showSignedIn(settings, session, user);
  else showSignedOut(settings, session);
}

// A page from the browser's back/forward cache may show a person who has signed out since.
window.addEventListener("pageshow", ({ persisted }) => {
  if (persisted) location.reload();
});
start().catch((error) => {
  show("nothing");
  showProblem(wordsOf(error));
});
