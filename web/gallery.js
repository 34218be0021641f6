import { announce, copyOf, part, showName } from "./dom.js";
import { apiAddress, inWords, publicAddress } from "./pictures.js";
import { Problem, problemOf, unreachable, wordsOf } from "./problems.js";

/**
 * Shows the person's own pictures from their public addresses in the bucket.
 *
 * @param {object} args
 * @param {import("./settings.js").Settings} args.settings
 * @param {import("./session.js").Session} args.session
 * @param {import("./remembered.js").Remembered} args.remembered
 * @param {(error: unknown) => boolean} args.endsSession shows the sign-in page if the error ended the session, and
 *   returns whether it did
 * @returns {{ add(picture: import("./remembered.js").Picture): void }}
 */
export function showGallery(args) {
  const list = part(document, "pictures", HTMLElement);
  const none = part(document, "no-pictures", HTMLElement);
  const count = () => {
    none.hidden = list.childElementCount > 0;
  };
  list.replaceChildren(...args.remembered.list().map((picture) => card(picture, args, count)));
  count();
  return {
    add(picture) {
      args.remembered.add(picture);
      list.prepend(card(picture, args, count));
      count();
    },
  };
}

/**
 * @param {import("./remembered.js").Picture} picture
 * @param {Parameters<typeof showGallery>[0]} args
 * @param {() => void} onRemoved
 */
function card(picture, { settings, session, remembered, endsSession }, onRemoved) {
  const element = copyOf("picture");
  const image = part(element, "image", HTMLImageElement);
  const note = part(element, "note", HTMLElement);
  const address = part(element, "address", HTMLInputElement);
  const url = publicAddress(settings, picture.key);
  showName(element, picture.name);
  part(element, "facts", HTMLElement).textContent =
    `${inWords(picture.size)}, ${new Date(picture.at).toLocaleString()}`;
  part(element, "open", HTMLAnchorElement).href = url;
  image.alt = picture.name;
  image.src = url;
  image.addEventListener("error", () => {
    element.classList.add("missing");
    note.textContent = "The bucket does not show this picture.";
  });
  address.value = url;
  address.setAttribute("aria-label", `Address of ${picture.name}`);
  address.addEventListener("focus", () => address.select());
  for (const button of element.querySelectorAll("button")) {
    button.setAttribute("aria-label", `${button.textContent}: ${picture.name}`);
  }

  /** @param {string} words */
  const say = (words) => {
    note.textContent = words;
    announce(`${picture.name}: ${words}`);
  };
  part(element, "copy", HTMLButtonElement).addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(url);
      say("The address is copied.");
    } catch {
      address.focus();
      say("The browser does not let this page copy; the address is selected, copy it yourself.");
    }
  });
  part(element, "through-api", HTMLButtonElement).addEventListener("click", async () => {
    say("Asking the API …");
    try {
      const body = await getThroughApi(apiAddress(settings, picture.key), await session.accessToken());
      element.classList.remove("missing");
      const shown = URL.createObjectURL(body);
      image.addEventListener("load", () => URL.revokeObjectURL(shown), { once: true });
      image.src = shown;
      say(`Shown as the API gave it: ${body.type}, ${body.size.toLocaleString()} bytes.`);
    } catch (error) {
      if (!endsSession(error)) say(wordsOf(error));
    }
  });
  part(element, "forget", HTMLButtonElement).addEventListener("click", () => {
    remembered.remove(picture.key);
    element.remove();
    onRemoved();
    announce(`${picture.name} is no longer listed here. It stays in the bucket.`);
    part(document, "pictures-title", HTMLElement).focus();
  });
  return element;
}

/**
 * @param {string} url
 * @param {string} token
 */
async function getThroughApi(url, token) {
  const response = await fetch(url, { headers: { authorization: token } }).catch(() => {
    throw new Problem(unreachable("the image API", url));
  });
  if (!response.ok) throw problemOf(response.status, "The picture");
  return response.blob();
}
