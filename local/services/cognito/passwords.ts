import { randomBytes, randomInt, type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";
import { refusal } from "./errors";
import type { PasswordPolicy } from "./settings";

/** About 10 ms: slow enough to protect the passwords in the file, fast enough for thousands of test sign-ups. */
const cost = { N: 4096, r: 8, p: 1 };

/** The symbols that Cognito counts, including a space that is not first or last. */
const symbols = /[\^$*.[\]{}()?"!@#%&/\\,><':;|_~`=+\- ]/;

/** @returns `scrypt$N$r$p$salt$key`, base64url. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password, salt, cost);
  return ["scrypt", cost.N, cost.r, cost.p, salt.toString("base64url"), key.toString("base64url")].join("$");
}

/** @param hash the result of hashPassword; undefined takes as long and returns false: the time reveals nothing. */
export async function passwordMatches(password: string, hash: string | undefined): Promise<boolean> {
  const [, n, r, p, salt, key] = (hash ?? hashOfUnknownUser).split("$");
  const options = { N: Number(n), r: Number(r), p: Number(p) };
  const derived = await derive(password, Buffer.from(salt!, "base64url"), options);
  return timingSafeEqual(derived, Buffer.from(key!, "base64url")) && hash !== undefined;
}

/** The hash that the password is compared with if there is no user. */
const hashOfUnknownUser = `scrypt$${cost.N}$${cost.r}$${cost.p}$${"A".repeat(22)}$${"A".repeat(43)}`;

function derive(password: string, salt: Buffer, options: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) =>
    scrypt(password, salt, 32, options, (error, key) => (error ? reject(error) : resolve(key))),
  );
}

/**
 * @throws InvalidPasswordException with Cognito's text for the first rule that is broken.
 * @see https://docs.aws.amazon.com/cognito/latest/developerguide/managing-users-passwords.html
 */
export function checkPassword(password: string, policy: PasswordPolicy): void {
  const broken = brokenRule(password, policy);
  if (broken) throw refusal("InvalidPasswordException", `Password did not conform with policy: ${broken}`);
}

function brokenRule(password: string, policy: PasswordPolicy): string | undefined {
  if (password.length < policy.minimumLength) return "Password not long enough";
  if (password.length > 256) return "Password must not be longer than 256 characters";
  if (policy.requireUppercase && !/[A-Z]/.test(password)) return "Password must have uppercase characters";
  if (policy.requireLowercase && !/[a-z]/.test(password)) return "Password must have lowercase characters";
  if (policy.requireNumbers && !/[0-9]/.test(password)) return "Password must have numeric characters";
  if (policy.requireSymbols && !symbols.test(password.trim())) return "Password must have symbol characters";
  return /^\s|\s$/.test(password) ? "Password must not have leading or trailing spaces" : undefined;
}

/** The rules in words, for a person who chooses a password. */
export function describePolicy(policy: PasswordPolicy): string[] {
  return [
    `At least ${policy.minimumLength} characters`,
    ...(policy.requireUppercase ? ["an upper-case letter"] : []),
    ...(policy.requireLowercase ? ["a lower-case letter"] : []),
    ...(policy.requireNumbers ? ["a number"] : []),
    ...(policy.requireSymbols ? ["a symbol"] : []),
  ];
}

/** A password for an invitation that satisfies every policy up to its length. */
export function temporaryPassword(policy: PasswordPolicy): string {
  const kinds = ["ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghijkmnopqrstuvwxyz", "23456789", "!@#%&*+-"];
  const length = Math.max(policy.minimumLength, 12);
  return Array.from({ length }, (_, i) => kinds[i % kinds.length]!)
    .map((kind) => kind[randomInt(kind.length)])
    .join("");
}
