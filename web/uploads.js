import { announce, copyOf, part, showName } from "./dom.js";
import { checkedType, checkWhole, inWords, objectName, once, uploadTarget } from "./pictures.js";
import { Cancelled, Problem, wordsOf } from "./problems.js";
import { limited, put } from "./upload.js";

/**
 * Uploads the files that are chosen or dropped, a few at a time, and shows the progress of each.
 *
 * @param {object} args
 * @param {import("./settings.js").Settings} args.settings
 * @param {import("./session.js").Session} args.session
 * @param {(picture: import("./remembered.js").Picture) => void} args.onUploaded
 * @param {(error: unknown) => boolean} args.endsSession shows the sign-in page if the error ended the session, and
 *   returns whether it did
 * @returns {{ underWay(): boolean, cancel(): void }} `underWay`: whether an upload is running or waiting; `cancel` stops
 *   all of them
 */
export function acceptUploads(args) {
  const input = part(document, "files", HTMLInputElement);
  const zone = part(document, "drop", HTMLElement);
  // Without this, the browser would open a file that is dropped beside the zone instead of the page.
  for (const name of ["dragover", "drop"]) window.addEventListener(name, (event) => event.preventDefault());
  // Without the scope an upload would get a 401, as with an expired sign-in, so uploads are not offered then.
  const offered = args.settings.uploads.writers === "everyone";
  zone.hidden = !offered;
  part(document, "no-uploads", HTMLElement).hidden = offered;
  if (!offered) return { underWay: () => false, cancel() {} };
  const inTurn = limited(3);
  /** @type {Set<AbortController>} */
  const running = new Set();
  /** @param {Iterable<File>} files */
  const take = (files) => {
    for (const file of files) addUpload(file, args, inTurn, running);
  };
  part(document, "remove-all", HTMLButtonElement).addEventListener("click", () => {
    for (const row of failedRows()) row.remove();
    offerRemoval();
    input.focus();
  });

  input.addEventListener("change", () => {
    take(input.files ?? []);
    // The same file may be chosen again.
    input.value = "";
  });
  zone.addEventListener("dragover", () => zone.classList.add("over"));
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("over"));
  zone.addEventListener("drop", ({ dataTransfer }) => take(dataTransfer?.files ?? []));
  return {
    underWay: () => running.size > 0,
    cancel() {
      for (const abort of running) abort.abort();
      running.clear();
    },
  };
}

const failedRows = () => [...part(document, "uploads", HTMLElement).querySelectorAll(".failed")];

/** Shows the button that removes all failed uploads, where there are at least two. */
function offerRemoval() {
  part(document, "remove-all", HTMLButtonElement).hidden = failedRows().length < 2;
}

/**
 * Uploads a file when it is its turn, and again when the person clicks "Try again" after a failure.
 *
 * @param {File} file
 * @param {Parameters<typeof acceptUploads>[0]} args
 * @param {ReturnType<typeof limited>} inTurn
 * @param {Set<AbortController>} running the uploads that can still be cancelled
 */
function addUpload(file, { settings, session, onUploaded, endsSession }, inTurn, running) {
  const row = uploadRow(file);
  let abort = new AbortController();

  const upload = async () => {
    const type = await checkedType(file);
    const { signal } = abort;
    await inTurn(async () => {
      if (signal.aborted) throw new Cancelled();
      await checkWhole(file);
      const token = await session.accessToken();
      const { sub } = session.user ?? { sub: "" };
      const { key, url } = uploadTarget(settings, sub, objectName(file.name, once()));
      row.showSent(0);
      await put({ url, token, file, type, onProgress: row.showSent, signal });
      onUploaded({ key, name: file.name, size: file.size, at: new Date().toISOString() });
    });
  };
  const run = async () => {
    abort = new AbortController();
    const own = abort;
    running.add(own);
    row.showWaiting();
    try {
      await upload();
      announce(`${file.name} is uploaded.`);
      row.leave();
    } catch (error) {
      if (endsSession(error)) return;
      row.showFailed(wordsOf(error), error instanceof Problem && error.final);
      announce(`${file.name}: ${wordsOf(error)}`);
    } finally {
      running.delete(own);
    }
  };

  row.cancel.addEventListener("click", () => abort.abort());
  row.retry.addEventListener("click", run);
  run();
}

/**
 * Adds a row for the upload of a file to the page.
 *
 * @param {File} file
 */
function uploadRow(file) {
  const row = copyOf("upload");
  const progress = part(row, "progress", HTMLProgressElement);
  const state = part(row, "state", HTMLElement);
  const cancel = part(row, "cancel", HTMLButtonElement);
  const retry = part(row, "retry", HTMLButtonElement);
  const remove = part(row, "remove", HTMLButtonElement);
  showName(row, file.name);
  progress.setAttribute("aria-label", `Upload of ${file.name}`);
  for (const button of [cancel, retry, remove]) {
    button.setAttribute("aria-label", `${button.textContent}: ${file.name}`);
  }

  /** @param {boolean} isRunning */
  const show = (isRunning, final = false) => {
    const focused = row.contains(document.activeElement);
    row.classList.toggle("failed", !isRunning);
    progress.hidden = cancel.hidden = !isRunning;
    remove.hidden = isRunning;
    retry.hidden = isRunning || final;
    offerRemoval();
    // The button that had the focus may be hidden now.
    if (focused) [cancel, retry, remove].find((button) => !button.hidden)?.focus();
  };
  const leave = () => {
    const focused = row.contains(document.activeElement);
    row.remove();
    offerRemoval();
    if (focused) part(document, "files", HTMLInputElement).focus();
  };
  remove.addEventListener("click", leave);
  part(document, "uploads", HTMLElement).append(row);
  return {
    cancel,
    retry,
    /** Removes the row from the page. */
    leave,
    showWaiting() {
      show(true);
      progress.value = 0;
      state.textContent = "Waiting …";
    },
    /** @param {number} sent from 0 to 1 */
    showSent(sent) {
      progress.value = sent;
      state.textContent = sent < 1 ? `${Math.floor(sent * 100)} % of ${inWords(file.size)}` : "Being stored …";
    },
    /**
     * @param {string} words
     * @param {boolean} final whether a retry is useless
     */
    showFailed(words, final) {
      state.textContent = words;
      show(false, final);
    },
  };
}
