import { EventMalformed } from "./errors";
import { actionFor, type User, userOf } from "./event";

/**
 * A confirmed sign-up as a message of the queue: those fields of Cognito's event that the row needs, with the event's
 * structure, and no other data of the person.
 */
interface Confirmation {
  readonly triggerSource: string;
  readonly request: { readonly userAttributes: { readonly sub: string; readonly email: string } };
  /** When it was confirmed, UTC in ISO 8601. SQS's own time stamp is lost when a dead letter is sent again. */
  readonly confirmedAt: string;
}

/**
 * The text of the queue's message. ASCII only, other characters escaped: SQS refuses some that an address may contain.
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
 * The event in a message's text, for `confirmedUser` and `traceOf`; undefined if the text is not JSON. `confirmedUser`
 * refuses undefined as it refuses any other value that is not an event.
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
 * @throws EventMalformed, also if the event is not a confirmed sign-up; TriggerUnknown, SubInvalid, EmailInvalid
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
