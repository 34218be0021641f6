import { randomInt } from "node:crypto";

const LETTERS_AND_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** As many as the program draws (190 bits). */
const CHARACTERS = 32;

/** Letters and digits only: nothing that JSON, SQL, a URL, a shell or the mysql provider would have to escape. */
export function newPassword(): string {
  return Array.from({ length: CHARACTERS }, () => LETTERS_AND_DIGITS[randomInt(LETTERS_AND_DIGITS.length)]).join("");
}
