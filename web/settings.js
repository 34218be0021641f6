import { Problem, unreachable, wordsFor } from "./problems.js";

/**
 * How pictures may be uploaded: the settings under `api` of the stack's configuration.
 *
 * @typedef {object} Uploads
 * @property {boolean} ownPrefix the API puts the person's `sub` and a slash before the key of an upload
 * @property {boolean} overwrite an upload replaces a picture of the same name; otherwise it is refused with 412
 * @property {"everyone" | "application"} writers with `application`, no sign-in on this page may upload
 */

/**
 * The outputs of the deployed stack that a browser needs; none of them is a secret.
 *
 * @typedef {object} Settings
 * @property {string} region
 * @property {string} userPoolClientId
 * @property {string} signInUrl the login page; the OAuth endpoints are at its origin
 * @property {string} apiUrl the image API, with its stage
 * @property {string} bucketName
 * @property {string} bucketUrl
 * @property {Uploads} uploads
 * @property {string} webUrl this page as it is registered with the app client
 * @property {string} [mailbox] lists the mails with their codes, on the local system only
 * @property {string} [rowPath] the path of the signed-in person's row on this page's server; missing for a stack on AWS
 */

/** @returns {Promise<Settings>} */
export async function loadSettings() {
  const response = await fetch("/config.json").catch(() => {
    throw new Problem(unreachable("the server of this page", location.href));
  });
  if (!response.ok) throw new Problem(wordsFor(response.status, "The page's configuration"));
  return response.json();
}
