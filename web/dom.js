/**
 * The part of the page, or of a copied template, with this name in its `data-part`.
 *
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} name
 * @param {new () => T} kind
 * @returns {T}
 */
export function part(root, name, kind) {
  const found = root.querySelector(`[data-part="${name}"]`);
  if (!(found instanceof kind)) throw new Error(`index.html has no ${kind.name} with data-part="${name}".`);
  return found;
}

/**
 * A copy of the one element in a template.
 *
 * @param {string} name
 * @returns {HTMLElement}
 */
export function copyOf(name) {
  const copy = part(document, name, HTMLTemplateElement).content.firstElementChild?.cloneNode(true);
  return /** @type {HTMLElement} */ (copy);
}

/**
 * Shows a file's name in its row or card, which may be too narrow for it.
 *
 * @param {HTMLElement} root
 * @param {string} name
 */
export function showName(root, name) {
  const element = part(root, "name", HTMLElement);
  element.textContent = element.title = name;
}

/** Messages within this time are announced together: otherwise a later one would replace an earlier one at once. */
const togetherMs = 250;
/** @type {string[]} */
let pending = [];

/**
 * Announces to users of screen readers what happened; other users see it where it happened.
 *
 * @param {string} words
 */
export function announce(words) {
  pending.push(words);
  if (pending.length > 1) return;
  setTimeout(() => {
    part(document, "status", HTMLElement).textContent = pending.join(" ");
    pending = [];
  }, togetherMs);
}

/**
 * Shows a problem at the top of the page, or removes it.
 *
 * @param {string} words empty for none
 */
export function showProblem(words) {
  part(document, "problem", HTMLElement).textContent = words;
}
