import { stored } from "./stored.js";

/**
 * The bucket cannot be listed, so this browser remembers what each person uploaded from it.
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

  /** Newest first; what is kept there but is no picture is passed over. @returns {Picture[]} */
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
