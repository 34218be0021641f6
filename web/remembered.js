import { stored } from "./stored.js";

/**
 * A picture that was uploaded with this browser. The bucket cannot be listed, so the browser keeps a list of each
 * person's uploads.
 *
 * @typedef {object} Picture
 * @property {string} key
 * @property {string} name the file's own name
 * @property {number} size bytes
 * @property {string} at ISO 8601
 */

export class Remembered {
  /** @type {string} */
  #item;

  /**
   * @param {string} bucketName
   * @param {string} sub
   */
  constructor(bucketName, sub) {
    this.#item = `pictures of ${sub} in ${bucketName}`;
  }

  /** Newest first; stored entries that are not pictures are left out. @returns {Picture[]} */
  list() {
    const kept = stored(localStorage, this.#item);
    return Array.isArray(kept) ? kept.filter(isPicture) : [];
  }

  /** @param {Picture} picture */
  add(picture) {
    this.#write([picture, ...this.list()]);
  }

  /** @param {string} key */
  remove(key) {
    this.#write(this.list().filter((picture) => picture.key !== key));
  }

  /** @param {Picture[]} pictures */
  #write(pictures) {
    localStorage.setItem(this.#item, JSON.stringify(pictures));
  }
}

/**
 * @param {unknown} value
 * @returns {value is Picture}
 */
function isPicture(value) {
  const { key, name, size, at } = /** @type {Partial<Picture>} */ (value ?? {});
  return [key, name, at].every((text) => typeof text === "string") && typeof size === "number";
}
