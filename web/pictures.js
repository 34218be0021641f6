import { Problem } from "./problems.js";

/** Bytes; API Gateway takes no larger payload ("Quotas for REST APIs"). */
export const largest = 10 * 1024 * 1024;
const longestName = 100;

/** How files of the types that this page uploads begin; the API takes any type. */
const beginnings = [
  { type: "image/jpeg", bytes: [0xff, 0xd8, 0xff] },
  { type: "image/png", bytes: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] },
];

/**
 * The type of a picture by its first eight bytes: a file's name may say anything.
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
 * @throws {Problem} where it is no picture that this page uploads, or too large for the API
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
 * Has the browser draw the picture: one that is cut off would be stored, and then shown to nobody.
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
 * The name of an upload: something that occurs once, and the file's name with everything but letters, digits, `.`, `_`
 * and `-` replaced, so that the picture's address stays readable.
 *
 * @param {string} fileName
 * @param {string} once
 */
export function objectName(fileName, once) {
  const name = fileName
    .normalize("NFC")
    .replace(/[^\p{L}\p{M}\p{N}._-]+/gu, "-")
    .replace(/-(\.[^.]*)$/, "$1");
  // From the end, which has the extension; by code points, for half a character cannot be encoded.
  return `${once}-${[...name].slice(-longestName).join("")}`;
}

/** Something that occurs once, and sorts by time. */
export function once() {
  const random = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  return `${Date.now().toString(36)}${random.toString(36).padStart(7, "0")}`;
}

/**
 * The key of a person's upload, below the person's own prefix, and where the image API takes it. With `ownPrefix` the API
 * adds that prefix itself.
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
 * Where the image API gives a picture, and takes one whose whole key the client names. The key is one segment of the path, so its slash is encoded too.
 *
 * @param {{ apiUrl: string, bucketName: string }} settings
 * @param {string} key
 */
export function apiAddress({ apiUrl, bucketName }, key) {
  return `${withoutSlash(apiUrl)}/${encodeURIComponent(bucketName)}/${encodeURIComponent(key)}`;
}

/**
 * Where anyone may see a picture.
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
 * A size as people read it.
 *
 * @param {number} bytes
 */
export function inWords(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  if (bytes < 1024 * 1024) return `${Math.round(bytes / 1024)} kB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}
