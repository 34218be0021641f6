import { EmailInvalid, EventMalformed, SubInvalid, TriggerUnknown } from "./errors";

/** The longest address that `users.User_Email` holds, in characters (code points), not bytes. */
const EMAIL_CHARACTERS = 100;

/** The data of a user for the table `users`. */
export interface User {
  /** `sub`: a UUID of 36 characters. */
  readonly sub: string;
  /** 1 to 100 characters. */
  readonly email: string;
  /** When the sign-up was confirmed, to the second. @default when the row is made */
  readonly confirmedAt?: Date;
}

/** What the function does for a trigger source. */
export type TriggerAction =
  /** Make the row, or fail; Cognito shows the error to the person. */
  | "register"
  /** Make a missing row if that takes little time; never fail, so that the sign-in or password reset succeeds. */
  | "catchUp";

/**
 * The trigger sources that the functions handle.
 * {@link https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-post-confirmation.html}
 * An administrator's confirmation also arrives as `PostConfirmation_ConfirmSignUp`.
 */
const ACTIONS: ReadonlyMap<unknown, TriggerAction> = new Map([
  ["PostConfirmation_ConfirmSignUp", "register"],
  ["PostConfirmation_ConfirmForgotPassword", "catchUp"],
  ["PostAuthentication_Authentication", "catchUp"],
]);

/** Whether the value is an object with properties, as JSON has them. */
function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The action for the event's trigger source.
 * @throws EventMalformed, TriggerUnknown
 */
export function actionFor(event: unknown): TriggerAction {
  if (!isRecord(event)) {
    throw new EventMalformed("The event is not an object");
  }
  const action = ACTIONS.get(event.triggerSource);
  if (action === undefined) {
    throw new TriggerUnknown();
  }
  return action;
}

/**
 * The user the event is about, from `request.userAttributes` (`userName` may be an alias).
 * @throws EventMalformed, SubInvalid, EmailInvalid
 */
export function userOf(event: unknown): User {
  const request = isRecord(event) ? event.request : undefined;
  const attributes = isRecord(request) ? request.userAttributes : undefined;
  if (!isRecord(attributes)) {
    throw new EventMalformed("The event has no request.userAttributes");
  }
  return { sub: subOf(attributes.sub), email: emailOf(attributes.email) };
}

/**
 * The event's trigger source and `sub`, each only if it is valid. A log line must not contain anything else of the
 * event.
 */
export function traceOf(event: unknown): { triggerSource?: string; sub?: string } {
  if (!isRecord(event)) {
    return {};
  }
  const request = isRecord(event.request) ? event.request : {};
  const attributes = isRecord(request.userAttributes) ? request.userAttributes : {};
  const { triggerSource } = event;
  return {
    ...(typeof triggerSource === "string" && /^\w{1,64}$/.test(triggerSource) ? { triggerSource } : {}),
    ...(isUuid(attributes.sub) ? { sub: attributes.sub } : {}),
  };
}

function isUuid(value: unknown): value is string {
  return typeof value === "string" && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value);
}

function subOf(value: unknown): string {
  if (!isUuid(value)) {
    throw new SubInvalid(value === undefined ? "missing" : "something else");
  }
  return value;
}

/**
 * Cognito has checked that mail to the address arrives. This function checks that the table can store the address and
 * return it unchanged. The address is kept as it is: Unicode normalization or lower case would make it another one.
 */
function emailOf(value: unknown): string {
  if (value === undefined || value === "") {
    throw new EmailInvalid("missing", "an account needs one");
  }
  // A lone surrogate would reach MySQL as U+FFFD, so it could collide with another address.
  if (typeof value !== "string" || /[\p{Cc}\p{Cs}]/u.test(value) || !/[^@]@[^@]+$/u.test(value)) {
    throw new EmailInvalid("not valid", "it must look like name@example.com, without control characters");
  }
  const characters = [...value].length;
  if (characters > EMAIL_CHARACTERS) {
    throw new EmailInvalid(`${characters} characters long`, `at most ${EMAIL_CHARACTERS} are possible`);
  }
  return value;
}
