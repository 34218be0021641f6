import { setTimeout as sleep } from "node:timers/promises";
import { AwsError } from "../aws/awsError";
import type { RunnableFunction } from "../lambda/function";
import { md5, systemAttributes } from "./operations";
import type { Queue, Received } from "./queue";

export interface EventSourceMappingOptions {
  readonly queue: Queue;
  readonly region: string;
  /** The function as it is registered now; called for each batch. */
  runnable(): RunnableFunction;
  /** Maximum of messages in a batch, 1 to 10. */
  readonly batchSize: number;
  /** Maximum of simultaneous batches. */
  readonly concurrency: number;
  /** Whether the function's answer lists the messages that failed (`ReportBatchItemFailures`). */
  readonly reportsFailures: boolean;
  /** Reports an error of the queue or of this machine. */
  report(line: string): void;
}

/** Milliseconds until the queue is asked again after an error. */
const retryPause = 1000;
/** Milliseconds that `close` waits for batches under way; interrupted ones are delivered again at the next start. */
const closeTimeout = 1000;

/**
 * Passes a queue's messages to a function, as Lambda's event source mapping does: processed messages are deleted;
 * failed messages stay in the queue and are delivered again after their visibility timeout.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
 */
export class EventSourceMapping {
  readonly #options: EventSourceMappingOptions;
  readonly #closing = new AbortController();
  readonly #pollers: readonly Promise<void>[];

  constructor(options: EventSourceMappingOptions) {
    this.#options = options;
    this.#pollers = Array.from({ length: options.concurrency }, () => this.#poll());
  }

  /** Takes no further messages, and waits up to `closeTimeout` for batches under way. */
  async close(): Promise<void> {
    this.#closing.abort();
    const waiting = new AbortController();
    const timeout = sleep(closeTimeout, undefined, { signal: waiting.signal }).catch(() => {});
    await Promise.race([Promise.all(this.#pollers), timeout]);
    waiting.abort();
  }

  async #poll(): Promise<void> {
    const { queue, batchSize } = this.#options;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        const batch = await queue.receive({ max: batchSize, wait: 20, signal });
        if (batch.length > 0) await this.#deliver(batch);
      } catch (error) {
        // For example a full disk, on which the queue cannot note that it has delivered the messages.
        this.#options.report(`Event source mapping of ${queue.arn}: ${(error as Error).message}`);
        await sleep(retryPause, undefined, { signal }).catch(() => {});
      }
    }
  }

  async #deliver(batch: readonly Received[]): Promise<void> {
    const { queue, region, reportsFailures } = this.#options;
    const runnable = this.#options.runnable();
    const event = { Records: batch.map((message) => recordOf(message, queue.arn, region)) };
    try {
      const { payload, failed } = await runnable.invoke(JSON.stringify(event));
      if (failed) return;
      const failures = reportsFailures ? failedOf(payload, batch) : new Set<string>();
      for (const { id, receiptHandle } of batch) if (!failures.has(id)) queue.delete(receiptHandle);
    } catch (error) {
      // Throttled, or closing: the messages are delivered again. An unreadable answer is an error of the function.
      if (!(error instanceof AwsError)) {
        runnable.log.add(
          `Event source mapping: ${(error as Error).message}; all messages of the batch will be delivered again.`,
        );
      }
    }
  }
}

/**
 * The IDs of the messages that are to be delivered again. No list, or an empty one, means none.
 * @throws Error for an answer that Lambda treats as the failure of all messages
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
function failedOf(payload: string, batch: readonly Received[]): Set<string> {
  const answer: unknown = JSON.parse(payload);
  const failures = (answer as { batchItemFailures?: unknown } | null)?.batchItemFailures ?? [];
  if (!Array.isArray(failures)) throw new Error("the function's batchItemFailures is not a list");
  const known = new Set(batch.map(({ id }) => id));
  const failed = failures.map((failure) => (failure as { itemIdentifier?: unknown } | null)?.itemIdentifier);
  const unknown = failed.find((id) => !known.has(id as string));
  if (failed.length > 0 && (unknown !== undefined || failed.includes(undefined))) {
    throw new Error(`the function returned the itemIdentifier ${JSON.stringify(unknown)}, which belongs to no message`);
  }
  return new Set(failed as string[]);
}

function recordOf(message: Received, eventSourceARN: string, awsRegion: string): object {
  return {
    messageId: message.id,
    receiptHandle: message.receiptHandle,
    body: message.body,
    attributes: systemAttributes(message),
    messageAttributes: {},
    md5OfBody: md5(message.body),
    eventSource: "aws:sqs",
    eventSourceARN,
    awsRegion,
  };
}
