/**
 * Reads a stored value. Another version of this page, or a person, may have written it, so it can have any form.
 *
 * @param {Storage} storage
 * @param {string} item
 * @returns {unknown} undefined where there is no value, or it is not JSON
 */
export function stored(storage, item) {
  try {
    return JSON.parse(storage.getItem(item) ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}
