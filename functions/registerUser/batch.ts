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

/** Messages of the queue, as Lambda's event source mapping hands them over; at most ten. */
export interface Batch {
  readonly Records: readonly { readonly messageId: string; readonly body: string }[];
}

/** The messages that are to come again; Lambda deletes the others. */
export interface BatchAnswer {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

/** Whether the event comes from a queue, and not from a user pool. */
export function isBatch(event: unknown): event is Batch {
  const { Records } = (event ?? {}) as { Records?: unknown };
  return Array.isArray(Records) && Records.length > 0 && Records.every((record) => record?.eventSource === "aws:sqs");
}

/**
 * Registers the users of a batch, one after the other on the container's one connection. What may pass is asked for
 * again, and so is a message that cannot be read, which a newer version of the other function may have written: both
 * end in the dead-letter queue if that goes on. What no time will heal is logged and done with; reconcile lists it.
 * After a fault that every user would meet, such as a database that does not answer, the rest is handed back untried.
 * {@link https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html}
 */
export async function registerBatch(
  { Records }: Batch,
  register: (user: User, left: RemainingTime) => Promise<void>,
  left: RemainingTime,
  log: Log,
): Promise<BatchAnswer> {
  const again: string[] = [];
  for (const [index, { messageId, body }] of Records.entries()) {
    const event = readConfirmation(body);
    try {
      await register(confirmedUser(event), left);
    } catch (error) {
      const fault = registrationErrorOf(error);
      const concern = concernOf(fault);
      log(concern === "user" ? "error" : "warn", { ...lineOf(fault), ...traceOf(event) });
      if (concern === "everyone") {
        again.push(...Records.slice(index).map((record) => record.messageId));
        break;
      }
      if (concern === "message") {
        again.push(messageId);
      }
    }
  }
  return { batchItemFailures: again.map((itemIdentifier) => ({ itemIdentifier })) };
}

/** Whom a fault concerns: this user for good, this message for now, or whoever comes next. */
function concernOf(fault: RegistrationError): "user" | "message" | "everyone" {
  if (fault instanceof EmailConflict || fault instanceof EmailInvalid || fault instanceof SubInvalid) {
    return "user";
  }
  const own = [EventMalformed, TriggerUnknown, DatabaseRefused, Unexpected];
  return own.some((kind) => fault instanceof kind) ? "message" : "everyone";
}
