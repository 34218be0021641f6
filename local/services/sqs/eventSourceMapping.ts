import { setTimeout as pause } from "node:timers/promises";
import { AwsError } from "../aws/awsError";
import type { RunnableFunction } from "../lambda/function";
import { md5, systemAttributes } from "./operations";
import type { Queue, Received } from "./queue";

export interface EventSourceMappingOptions {
  readonly queue: Queue;
  readonly region: string;
  /** The function as it is now; asked for each batch. */
  runnable(): RunnableFunction;
  /** Most messages of a batch, 1 to 10. */
  readonly batchSize: number;
  /** Most batches at a time. */
  readonly concurrency: number;
  /** Whether the function's answer tells which messages failed (`ReportBatchItemFailures`). */
  readonly reportsFailures: boolean;
}

/** How long an end waits for batches under way (ms); what is cut off is delivered again at the next start. */
const patience = 1000;

/**
 * Hands a queue's messages to a function, as Lambda's event source mapping does: what the function took is deleted, what
 * failed is left alone and comes again after its visibility timeout.
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

  /** Takes no further messages, and waits a moment for those that the function has. */
  async close(): Promise<void> {
    this.#closing.abort();
    const waiting = new AbortController();
    const long = pause(patience, undefined, { signal: waiting.signal }).catch(() => {});
    await Promise.race([Promise.all(this.#pollers), long]);
    waiting.abort();
  }

  async #poll(): Promise<void> {
    const { queue, batchSize } = this.#options;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const batch = await queue.receive({ max: batchSize, wait: 20, signal });
      if (batch.length > 0) await this.#deliver(batch);
    }
  }

  /** Never rejects. */
  async #deliver(batch: readonly Received[]): Promise<void> {
    const { queue, region, reportsFailures } = this.#options;
    const runnable = this.#options.runnable();
    const event = { Records: batch.map((message) => recordOf(message, queue.arn, region)) };
    try {
      const { payload, failed } = await runnable.invoke(JSON.stringify(event));
      if (failed) return;
      const again = reportsFailures ? failedOf(payload, batch) : new Set<string>();
      for (const { id, receiptHandle } of batch) if (!again.has(id)) queue.delete(receiptHandle);
    } catch (error) {
      // Throttled, or ending: the messages come again. An answer that cannot be read is the function's defect.
      if (!(error instanceof AwsError)) {
        runnable.log.add(`Event source mapping: ${(error as Error).message}; all its messages will come again.`);
      }
    }
  }
}

/**
 * The messages that are to come again. No answer, or an empty one, means none.
 * @throws Error for an answer that Lambda takes as the failure of them all
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
function failedOf(payload: string, batch: readonly Received[]): Set<string> {
  const answer: unknown = JSON.parse(payload);
  const failures = (answer as { batchItemFailures?: unknown } | null)?.batchItemFailures ?? [];
  if (!Array.isArray(failures)) throw new Error("the function's batchItemFailures is no list");
  const known = new Set(batch.map(({ id }) => id));
  const again = failures.map((failure) => (failure as { itemIdentifier?: unknown } | null)?.itemIdentifier);
  const foreign = again.find((id) => !known.has(id as string));
  if (again.length > 0 && (foreign !== undefined || again.includes(undefined))) {
    throw new Error(`the function answered the itemIdentifier ${JSON.stringify(foreign)}, which is of no message`);
  }
  return new Set(again as string[]);
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
