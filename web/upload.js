import { Cancelled, Problem, problemOf, unreachable } from "./problems.js";

/** An upload that makes no progress for this time is aborted; the API itself answers within 29 s. */
const stalledAfterMs = 60_000;

/**
 * Uploads a file to the image API. Uses XMLHttpRequest, because fetch does not report how much of a body is sent.
 *
 * @param {object} args
 * @param {string} args.url
 * @param {string} args.token access token
 * @param {Blob} args.file
 * @param {string} args.type content type
 * @param {(part: number) => void} args.onProgress called with the part that is sent, from 0 to 1
 * @param {AbortSignal} args.signal
 * @returns {Promise<void>}
 * @throws {Problem}
 */
export function put({ url, token, file, type, onProgress, signal }) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) throw new Cancelled();
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    signal.addEventListener("abort", abort);
    /** @type {ReturnType<typeof setTimeout>} */
    let stalled;
    const restartTimer = () => {
      clearTimeout(stalled);
      stalled = setTimeout(abort, stalledAfterMs);
    };
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      restartTimer();
      onProgress(total > 0 ? loaded / total : 1);
    });
    request.addEventListener("loadend", () => {
      clearTimeout(stalled);
      signal.removeEventListener("abort", abort);
      if (signal.aborted) reject(new Cancelled());
      else if (request.status === 0) reject(new Problem(unreachable("the image API", url)));
      else if (request.status !== 200) reject(problemOf(request.status, "The upload"));
      else resolve();
    });
    request.open("PUT", url);
    request.setRequestHeader("Authorization", token);
    request.setRequestHeader("Content-Type", type);
    restartTimer();
    request.send(file);
  });
}

/**
 * Runs tasks in the order of their calls, a few at a time.
 *
 * @param {number} places how many may run at once
 * @returns {<T>(task: () => Promise<T>) => Promise<T>} runs a task when it is its turn
 */
export function limited(places) {
  /** @type {(() => void)[]} */
  const waiting = [];
  return async (task) => {
    if (places > 0) places--;
    else await new Promise((resolve) => waiting.push(() => resolve(undefined)));
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else places++;
    }
  };
}
