import { confirmedUser, readConfirmation } from "../shared/confirmation";
import {
  EmailInvalid,
  EventMalformed,
  type RegistrationError,
  registrationErrorOf,
  SubInvalid,
  TriggerUnknown,
  Unexpected,
} from "../shared/errors";
import { traceOf, type User } from "../shared/event";
import { type Log, lineOf } from "../shared/log";
import type { RemainingTime } from "../shared/time";
import { DatabaseRefused, EmailConflict } from "./errors";

/** Messages of the queue, as Lambda's event source mapping passes them; at most ten. */
export interface Batch {
  readonly Records: readonly { readonly messageId: string; readonly body: string }[];
}

/** The messages that SQS shall deliver again; Lambda deletes the others. */
export interface BatchResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

/** Whether the event comes from a queue, and not from a user pool. */
export function isBatch(event: unknown): event is Batch {
  const { Records } = (event ?? {}) as { Records?: unknown };
  return Array.isArray(Records) && Records.length > 0 && Records.every((record) => record?.eventSource === "aws:sqs");
}

/**
 * Registers the users of a batch, one after the other on the container's one connection.
 * - A message is returned for redelivery if its error may be temporary, or if it cannot be read: a newer version of
 *   `enqueueUser` may have written it. If the error persists, the message ends in the dead-letter queue.
 * - A permanent error of one user is logged, and the message is deleted; reconcile lists the user.
 * - After an error that every user would get, such as a database that does not answer, the rest of the batch is
 *   returned without an attempt.
 *
 * {@link https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html}
 */
export async function registerBatch(
  { Records }: Batch,
  register: (user: User, left: RemainingTime) => Promise<void>,
  left: RemainingTime,
  log: Log,
): Promise<BatchResponse> {
  const failedIds: string[] = [];
  for (const [index, { messageId, body }] of Records.entries()) {
    const event = readConfirmation(body);
    try {
      await register(confirmedUser(event), left);
    } catch (error) {
      const registrationError = registrationErrorOf(error);
      const scope = scopeOf(registrationError);
      log(scope === "user" ? "error" : "warn", { ...lineOf(registrationError), ...traceOf(event) });
      if (scope === "everyone") {
        failedIds.push(...Records.slice(index).map((record) => record.messageId));
        break;
      }
      if (scope === "message") {
        failedIds.push(messageId);
      }
    }
  }
  return { batchItemFailures: failedIds.map((itemIdentifier) => ({ itemIdentifier })) };
}

/** What an error affects: this user permanently, this message for now, or every user. */
function scopeOf(error: RegistrationError): "user" | "message" | "everyone" {
  if (error instanceof EmailConflict || error instanceof EmailInvalid || error instanceof SubInvalid) {
    return "user";
  }
  const ofOneMessage = [EventMalformed, TriggerUnknown, DatabaseRefused, Unexpected];
  return ofOneMessage.some((type) => error instanceof type) ? "message" : "everyone";
}
