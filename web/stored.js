/**
 * What is kept under a name, which another version of this page, or a person, may have written.
 *
 * @param {Storage} storage
 * @param {string} item
 * @returns {unknown} undefined where there is nothing, or no JSON
 */
export function stored(storage, item) {
  try {
    return JSON.parse(storage.getItem(item) ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}
