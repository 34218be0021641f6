import { randomInt } from "node:crypto";
import { limitExceeded, refusal } from "./errors";
import type { Pool } from "./pools";
import type { CognitoState } from "./state";
import type { Code, CodePurpose, User } from "./users";

/** Cognito's lifetimes: 24 hours to confirm a sign-up, one hour to reset a password. */
const lifetimeInMs: Record<CodePurpose, number> = { signUp: 24 * 3600_000, passwordReset: 3600_000 };

/** With six digits and ten mails an hour, guessing succeeds in one hour out of 20,000. */
const wrongAnswersPerCode = 5;
const codesPerHour = 10;
const hourInMs = 3600_000;

/**
 * Creates a new code and mails it; the previous code becomes invalid.
 * @returns Cognito's `CodeDeliveryDetails`.
 * @throws LimitExceededException after ten codes within an hour.
 */
export function sendCode(state: CognitoState, pool: Pool, user: User, purpose: CodePurpose): object {
  const now = state.now();
  const codesSent = (user.codesSent ?? []).filter((at) => at > now - hourInMs);
  if (codesSent.length >= codesPerHour) throw limitExceeded();
  const value = String(randomInt(1_000_000)).padStart(6, "0");
  const code: Code = { purpose, value, expires: now + lifetimeInMs[purpose], wrong: 0 };
  pool.users.save({ ...user, code, codesSent: [...codesSent, now] });

  const { subject, message } = pool.settings.mail;
  const to = user.attributes.email!;
  const body = message.replaceAll("{####}", value).replaceAll("{username}", to);
  state.mailbox.put({ to, subject, body, code: value, at: new Date(now).toISOString() });
  state.info(`Mail to ${to}: ${subject}: ${value}`);
  return deliveryDetails(to);
}

/**
 * @throws ExpiredCodeException if no code for this purpose was requested or it has expired, CodeMismatchException if
 *   the code is another, LimitExceededException after five wrong codes: then the person needs a new code.
 */
export function checkCode(state: CognitoState, pool: Pool, user: User, purpose: CodePurpose, answer: string): void {
  const { code } = user;
  if (!code || code.purpose !== purpose || code.expires <= state.now()) throw expiredCode();
  if (code.wrong >= wrongAnswersPerCode) throw limitExceeded();
  if (answer === code.value) return;
  pool.users.save({ ...user, code: { ...code, wrong: code.wrong + 1 } });
  throw codeMismatch();
}

export const expiredCode = () => refusal("ExpiredCodeException", "Invalid code provided, please request a code again.");
export const codeMismatch = () =>
  refusal("CodeMismatchException", "Invalid verification code provided, please try again.");

/** The address of a mail, masked as Cognito does: `j***@e***`. */
export function deliveryDetails(email: string): object {
  const [name = "", host = ""] = email.split("@");
  const Destination = `${name.slice(0, 1)}***@${host.slice(0, 1)}***`;
  return { CodeDeliveryDetails: { Destination, DeliveryMedium: "EMAIL", AttributeName: "email" } };
}
