import { part } from "./dom.js";

/**
 * Has the browser ask before the page goes, by a reload or otherwise, while something is under way.
 *
 * @param {() => boolean} underWay
 */
export function askBeforeUnload(underWay) {
  window.addEventListener("beforeunload", (event) => {
    if (underWay()) event.preventDefault();
  });
}

/**
 * Asks whether to sign out although uploads are under way.
 *
 * @returns {Promise<boolean>} false also where the question is put away with Escape
 */
export function askToLeave() {
  const dialog = part(document, "leaving", HTMLDialogElement);
  part(dialog, "leave", HTMLButtonElement).onclick = () => dialog.close("leave");
  part(dialog, "stay", HTMLButtonElement).onclick = () => dialog.close("");
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "leave"), { once: true });
  });
}
