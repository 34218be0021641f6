import { Problem, unreachable, wordsFor } from "./problems.js";

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
 * @property {string} webUrl this page as it is registered with the app client
 * @property {string} [mailbox] lists the mails with their codes, on the local system only
 * @property {string} [rowPath] where this page's server answers one's own row; nobody does so on AWS
 */

/** @returns {Promise<Settings>} */
export async function loadSettings() {
  const response = await fetch("/config.json").catch(() => {
    throw new Problem(unreachable("the server of this page", location.href));
  });
  if (!response.ok) throw new Problem(wordsFor(response.status, "The page's configuration"));
  return response.json();
}
