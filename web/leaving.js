import { part } from "./dom.js";

/**
 * Has the browser ask before the page is closed or reloaded while uploads are running.
 *
 * @param {() => boolean} underWay
 */
export function askBeforeUnload(underWay) {
  window.addEventListener("beforeunload", (event) => {
    if (underWay()) event.preventDefault();
  });
}

/**
 * Asks whether to sign out although uploads are running.
 *
 * @returns {Promise<boolean>} false also where the dialog is closed with Escape
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
