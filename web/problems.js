/** An error whose message is for the user of the page. */
export class Problem extends Error {
  /**
   * @param {string} words
   * @param {{ signedOut?: boolean, final?: boolean }} [more] `signedOut`: only a new sign-in helps;
   *   `final`: a retry would fail in the same way
   */
  constructor(words, { signedOut = false, final = false } = {}) {
    super(words);
    this.name = "Problem";
    this.signedOut = signedOut;
    this.final = final;
  }
}

/** The user cancelled the upload. */
export class Cancelled extends Problem {
  constructor() {
    super("Cancelled.");
    this.name = "Cancelled";
  }
}

export const signInEnded = "Your sign-in has ended. Sign in again to go on.";

/**
 * The message for a service that cannot be reached.
 *
 * @param {string} service
 * @param {string} url of the request; a service on this machine does not need a network
 */
export function unreachable(service, url) {
  const here = ["localhost", "127.0.0.1", "[::1]"].includes(new URL(url).hostname);
  const check = here
    ? "It runs on this machine: see in its terminal whether it was stopped"
    : "Check that you are online";
  return `There is no connection to ${service}. ${check}, and try again.`;
}

/**
 * The message for an HTTP response that is not a success.
 *
 * @param {number} status HTTP status
 * @param {string} what begins the sentence, for example "The upload"
 */
export function wordsFor(status, what) {
  switch (status) {
    case 401:
      return signInEnded;
    case 403:
      // S3 answers 403 for a missing object too, to clients that may not list the bucket (S3 API reference, GetObject).
      return `${what} was refused (403): it is not allowed, or there is no such picture.`;
    case 404:
      return `${what} was not found (404).`;
    case 409:
      // S3's ConditionalRequestConflict: "you should retry the upload".
      return `${what} conflicts with another change of the same picture (409). Try again.`;
    case 412:
      return `${what} was refused (412): there is a picture of this name already, and pictures are not replaced here.`;
    case 413:
      return `${what} is too large (413): 10 MB are the most that the image API takes.`;
    case 415:
      return `${what} was refused (415): the image API does not take this type of file.`;
    case 429:
      return `${what} has to wait (429): there are too many requests. Try again in a moment.`;
    case 504:
      return `${what} took too long (504). Try again in a moment.`;
    default:
      return status >= 500
        ? `${what} failed (${status}) because of an error of the service. Try again in a moment.`
        : `${what} was refused (${status}).`;
  }
}

/**
 * The problem for an error response of the image API or of this page's server.
 *
 * @param {number} status
 * @param {string} what
 */
export function problemOf(status, what) {
  const isTemporary = status >= 500 || status === 429 || status === 409;
  return new Problem(wordsFor(status, what), { signedOut: status === 401, final: !isTemporary });
}

/**
 * The message for any error.
 *
 * @param {unknown} error
 * @returns {string}
 */
export function wordsOf(error) {
  if (error instanceof Problem) return error.message;
  return `Something went wrong in this page: ${error instanceof Error ? error.message : error}`;
}
