/** Proof Key for Code Exchange with method S256: https://www.rfc-editor.org/rfc/rfc7636 */

/**
 * Text that cannot be guessed: 256 random bits in 43 characters, suitable for a code verifier and for a state.
 */
export function randomText() {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

/**
 * The code challenge for a code verifier.
 *
 * @param {string} verifier
 * @returns {Promise<string>}
 */
export async function challengeOf(verifier) {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  return base64url(new Uint8Array(hash));
}

/** @param {Uint8Array} bytes */
function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
