import { Problem } from "./problems.js";

/** Bytes; API Gateway's limit for a payload ("Quotas for REST APIs"). */
export const largest = 10 * 1024 * 1024;
const longestName = 100;

/** The first bytes of files of the types that this page uploads; the API accepts any type. */
const beginnings = [
  { type: "image/jpeg", bytes: [0xff, 0xd8, 0xff] },
  { type: "image/png", bytes: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] },
];

/**
 * The type of a picture by its first eight bytes: the file's name may be wrong.
 *
 * @param {Uint8Array} start
 * @returns {string | undefined} undefined for anything but JPEG and PNG
 */
export function pictureType(start) {
  return beginnings.find(({ bytes }) => bytes.every((byte, at) => start[at] === byte))?.type;
}

/**
 * The content type of a file that may be uploaded.
 *
 * @param {File} file
 * @returns {Promise<string>}
 * @throws {Problem} where the file is not a picture of such a type, or is too large for the API
 */
export async function checkedType(file) {
  const start = await file
    .slice(0, 8)
    .arrayBuffer()
    .catch(() => {
      throw new Problem("This file cannot be read. Choose it again.", { final: true });
    });
  if (file.size === 0) throw new Problem("This file is empty.", { final: true });
  const type = pictureType(new Uint8Array(start));
  if (type === undefined) throw new Problem("Only JPEG and PNG pictures are taken.", { final: true });
  if (file.size > largest) {
    const [has, most] = [file.size, largest].map((bytes) => `${inWords(bytes)} (${bytes.toLocaleString("en")} bytes)`);
    throw new Problem(`This picture is too large: it has ${has}, and ${most} are the most.`, { final: true });
  }
  return type;
}

/**
 * Checks that the browser can draw the picture: an incomplete file would be stored, but could not be shown.
 *
 * @param {Blob} file
 * @throws {Problem} where it cannot be drawn
 */
export async function checkWhole(file) {
  const drawn = await createImageBitmap(file).catch(() => {
    throw new Problem("This file is damaged: the browser cannot draw the picture in it.", { final: true });
  });
  drawn.close();
}

/**
 * The name of an upload: a unique prefix, and the file's name. All characters except letters, digits, `.`, `_` and `-`
 * are replaced, so that the picture's address stays readable.
 *
 * @param {string} fileName
 * @param {string} once
 */
export function objectName(fileName, once) {
  const name = fileName
    .normalize("NFC")
    .replace(/[^\p{L}\p{M}\p{N}._-]+/gu, "-")
    .replace(/-(\.[^.]*)$/, "$1");
  // The end of the name has the extension. Cut by code points, because half a surrogate pair cannot be encoded.
  return `${once}-${[...name].slice(-longestName).join("")}`;
}

/** A unique text that sorts by time. */
export function once() {
  const random = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  return `${Date.now().toString(36)}${random.toString(36).padStart(7, "0")}`;
}

/**
 * The key of a person's upload, which begins with the person's own prefix, and its URL at the image API. With
 * `ownPrefix` the API adds that prefix itself.
 *
 * @param {import("./settings.js").Settings} settings
 * @param {string} sub
 * @param {string} name
 * @returns {{ key: string, url: string }}
 */
export function uploadTarget(settings, sub, name) {
  const key = `${sub}/${name}`;
  return { key, url: apiAddress(settings, settings.uploads.ownPrefix ? name : key) };
}

/**
 * The URL of a picture at the image API, for downloads, and for uploads with the whole key. The key is one segment of
 * the path, so its slash is encoded too.
 *
 * @param {{ apiUrl: string, bucketName: string }} settings
 * @param {string} key
 */
export function apiAddress({ apiUrl, bucketName }, key) {
  return `${withoutSlash(apiUrl)}/${encodeURIComponent(bucketName)}/${encodeURIComponent(key)}`;
}

/**
 * The public URL of a picture.
 *
 * @param {{ bucketUrl: string }} settings
 * @param {string} key
 */
export function publicAddress({ bucketUrl }, key) {
  return `${withoutSlash(bucketUrl)}/${key.split("/").map(encodeURIComponent).join("/")}`;
}

/** @param {string} url */
const withoutSlash = (url) => url.replace(/\/+$/, "");

/**
 * A file size as text for people.
 *
 * @param {number} bytes
 */
export function inWords(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  if (bytes < 1024 * 1024) return `${Math.round(bytes / 1024)} kB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}
