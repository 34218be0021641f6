import { EventMalformed } from "./errors";
import { actionFor, type User, userOf } from "./event";

/**
 * A confirmed sign-up on its way through the queue: what the row needs of Cognito's event, in the event's own shape, and
 * nothing else of the person.
 */
interface Confirmation {
  readonly triggerSource: string;
  readonly request: { readonly userAttributes: { readonly sub: string; readonly email: string } };
  /** When it was confirmed, UTC in ISO 8601. SQS's own time stamp is lost where a dead letter is sent again. */
  readonly confirmedAt: string;
}

/**
 * The text of the queue's message. ASCII only, other characters escaped: SQS refuses some that an address may have.
 * {@link https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html}
 */
export function writeConfirmation(triggerSource: string, { sub, email }: User, confirmedAt: Date): string {
  const confirmation: Confirmation = {
    triggerSource,
    request: { userAttributes: { sub, email } },
    confirmedAt: confirmedAt.toISOString(),
  };
  return JSON.stringify(confirmation).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/**
 * The event in a message's text, for `dutyOf`, `confirmedUser` and `traceOf`; undefined where the text is not JSON, which
 * they refuse like any other event that is none.
 */
export function readConfirmation(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The confirmed user in a message's event, with the time of the confirmation.
 * @throws EventMalformed, also where the event asks for something else than a row; TriggerUnknown, SubInvalid, EmailInvalid
 */
export function confirmedUser(event: unknown): User {
  if (actionFor(event) !== "register") {
    throw new EventMalformed("The message is not about a confirmed sign-up");
  }
  const { confirmedAt } = event as { confirmedAt?: unknown };
  const known = typeof confirmedAt === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(confirmedAt);
  if (!known || Number.isNaN(Date.parse(confirmedAt))) {
    throw new EventMalformed("The message has no confirmedAt in UTC (ISO 8601)");
  }
  return { ...userOf(event), confirmedAt: new Date(confirmedAt) };
}
