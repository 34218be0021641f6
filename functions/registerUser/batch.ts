import { confirmedUser, readConfirmation } from "./confirmation.js";
import { EmailConflict, EmailInvalid, RegistrationError, SubInvalid, Unexpected } from "./errors.js";
import { traceOf, type User } from "./event.js";
import { type Log, lineOf } from "./log.js";
import type { TimeLeft } from "./time.js";

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
 * Once the time is used up, as it is when the database does not answer, the rest is handed back untried.
 * {@link https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html}
 */
export async function registerBatch(
  { Records }: Batch,
  register: (user: User, left: TimeLeft) => Promise<void>,
  left: TimeLeft,
  log: Log,
): Promise<BatchAnswer> {
  const failed: string[] = [];
  for (const { messageId, body } of Records) {
    if (left() <= 0) {
      failed.push(messageId);
      continue;
    }
    const event = readConfirmation(body);
    try {
      await register(confirmedUser(event), left);
    } catch (error) {
      const fault = error instanceof RegistrationError ? error : new Unexpected(error);
      const final = isFinal(fault);
      log(final ? "error" : "warn", { ...lineOf(fault), ...traceOf(event) });
      if (!final) {
        failed.push(messageId);
      }
    }
  }
  return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
}

/** Faults of the user's own data: the same at every try. */
function isFinal(fault: RegistrationError): boolean {
  return fault instanceof EmailConflict || fault instanceof EmailInvalid || fault instanceof SubInvalid;
}
