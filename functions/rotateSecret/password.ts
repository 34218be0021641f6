import { randomInt } from "node:crypto";

const LETTERS_AND_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** As many as the password has that the program generates (190 bits). */
const CHARACTERS = 32;

/**
 * A random password of letters and digits only: JSON, SQL, URLs, shells and the mysql provider need no escapes for it.
 */
export function newPassword(): string {
  return Array.from({ length: CHARACTERS }, () => LETTERS_AND_DIGITS[randomInt(LETTERS_AND_DIGITS.length)]).join("");
}
