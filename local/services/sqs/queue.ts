import { randomUUID } from "node:crypto";
import { Journal } from "../../lib/journal";
import { AwsError } from "../aws/awsError";

/** A queue's settings, each with SQS's own default. Times in seconds. */
export interface QueueSettings {
  readonly visibilityTimeout: number;
  readonly delay: number;
  readonly receiveWaitTime: number;
  readonly retention: number;
  /** Bytes of a message's body. */
  readonly maxMessageSize: number;
  /** The dead-letter queue for messages that were received `maxReceives` times without being deleted. */
  readonly redrive?: { readonly deadLetterArn: string; readonly maxReceives: number };
}

/** A message as it is stored; times in milliseconds since 1970. */
interface Message {
  readonly id: string;
  readonly body: string;
  readonly senderId: string;
  readonly sentAt: number;
  readonly visibleAt: number;
  readonly receives: number;
  readonly firstReceivedAt?: number;
  /** The queue that it came from, for a dead letter. */
  readonly source?: string;
}

/** A message as a consumer receives it; hidden from others until its visibility timeout is over. */
export interface Received extends Message {
  /** Identifies this receipt: each receipt of a message has its own handle. */
  readonly receiptHandle: string;
}

export interface ReceiveOptions {
  /** Maximum of messages, 1 to 10. */
  readonly max: number;
  /** Seconds to wait for the first one. @default the queue's receiveWaitTime */
  readonly wait?: number;
  /** Seconds for which other consumers do not get them. @default the queue's visibilityTimeout */
  readonly visibilityTimeout?: number;
  /** Aborts the waiting. */
  readonly signal?: AbortSignal;
}

/**
 * One standard queue. Messages are written to disk before they are delivered: after a crash each is delivered again
 * once its visibility timeout is over, as SQS guarantees ("at least once").
 */
export class Queue {
  settings: QueueSettings;
  readonly #messages: Journal<Message>;
  readonly #deadLetterQueue: (arn: string) => Queue | undefined;
  readonly #waiting = new Set<() => void>();

  /**
   * @param file the journal with the messages
   * @param deadLetterQueue finds the queue of a redrive policy
   * @param now milliseconds since 1970
   */
  constructor(
    readonly arn: string,
    file: string,
    settings: QueueSettings,
    deadLetterQueue: (arn: string) => Queue | undefined,
    readonly now: () => number = Date.now,
  ) {
    this.settings = settings;
    this.#messages = new Journal(file);
    this.#deadLetterQueue = deadLetterQueue;
  }

  /** Adds a message. @param delay seconds until it may be received, @default the queue's */
  send(body: string, senderId: string, delay = this.settings.delay): string {
    const id = randomUUID();
    const sentAt = this.now();
    this.#put({ id, body, senderId, sentAt, visibleAt: sentAt + delay * 1000, receives: 0 });
    return id;
  }

  /** Receives the oldest visible messages; an empty list if none becomes visible before the waiting is over. */
  async receive({ max, wait = this.settings.receiveWaitTime, visibilityTimeout, signal }: ReceiveOptions) {
    const until = this.now() + wait * 1000;
    for (;;) {
      const received = this.#take(max, visibilityTimeout ?? this.settings.visibilityTimeout);
      if (received.length > 0 || this.now() >= until || signal?.aborted) return received;
      await this.#nextChange(until, signal);
    }
  }

  /** Deletes a message; does nothing if it is gone already, or if it has been received again since. */
  delete(receiptHandle: string): void {
    const message = this.#held(receiptHandle);
    if (message) this.#messages.delete(message.id);
  }

  /** Hides a received message for this many seconds from now; 0 makes it visible at once. @throws AwsError */
  changeVisibility(receiptHandle: string, seconds: number): void {
    const message = this.#held(receiptHandle);
    if (!message || message.visibleAt <= this.now()) {
      throw new AwsError("MessageNotInflight", 400, "The message referred to isn't in flight.");
    }
    this.#put({ ...message, visibleAt: this.now() + seconds * 1000 });
  }

  purge(): void {
    for (const id of [...this.#messages.keys()]) this.#messages.delete(id);
  }

  /** How many messages are visible, received and hidden, and delayed. */
  count(): { readonly visible: number; readonly inFlight: number; readonly delayed: number } {
    this.#deleteExpired();
    const counts = { visible: 0, inFlight: 0, delayed: 0 };
    for (const { visibleAt, receives } of this.#messages.values()) {
      counts[visibleAt <= this.now() ? "visible" : receives > 0 ? "inFlight" : "delayed"]++;
    }
    return counts;
  }

  /** Adds a dead letter, which keeps its identifier, its age and the number of its receipts. */
  addDeadLetter(message: Message, source: string): void {
    this.#put({ ...message, source, visibleAt: this.now() });
  }

  #put(message: Message): void {
    this.#messages.set(message.id, message);
    for (const wake of [...this.#waiting]) wake();
  }

  #take(max: number, visibilityTimeout: number): Received[] {
    this.#deleteExpired();
    const received: Received[] = [];
    const now = this.now();
    for (const message of this.#messages.values()) {
      if (received.length === max) break;
      if (message.visibleAt > now || this.#movedToDeadLetters(message)) continue;
      const taken = {
        ...message,
        receives: message.receives + 1,
        firstReceivedAt: message.firstReceivedAt ?? now,
        visibleAt: now + visibilityTimeout * 1000,
      };
      this.#messages.set(message.id, taken);
      received.push({ ...taken, receiptHandle: handleOf(taken) });
    }
    return received;
  }

  /** Moves a message that was received too often. It is added first: a crash may duplicate it, but not lose it. */
  #movedToDeadLetters(message: Message): boolean {
    const { redrive } = this.settings;
    if (!redrive || message.receives < redrive.maxReceives) return false;
    const target = this.#deadLetterQueue(redrive.deadLetterArn);
    if (!target) return false;
    target.addDeadLetter(message, this.arn);
    this.#messages.delete(message.id);
    return true;
  }

  #deleteExpired(): void {
    const oldest = this.now() - this.settings.retention * 1000;
    for (const { id, sentAt } of this.#messages.values()) if (sentAt < oldest) this.#messages.delete(id);
  }

  #held(receiptHandle: string): Message | undefined {
    const { id, receives } = parseHandle(receiptHandle);
    const message = this.#messages.get(id);
    return message?.receives === receives ? message : undefined;
  }

  /** Resolves when a message may have become visible, at the latest at `until`. */
  #nextChange(until: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", wake);
        this.#waiting.delete(wake);
        resolve();
      };
      let next = until;
      for (const { visibleAt } of this.#messages.values()) next = Math.min(next, visibleAt);
      const timer = setTimeout(wake, Math.max(1, next - this.now()));
      signal?.addEventListener("abort", wake);
      this.#waiting.add(wake);
    });
  }
}

const handleOf = ({ id, receives }: Message) => Buffer.from(`${id} ${receives}`).toString("base64");

/** @throws AwsError ReceiptHandleIsInvalid for a text that is not a receipt handle */
function parseHandle(handle: string): { id: string; receives: number } {
  const match = /^([0-9a-f-]{36}) (\d+)$/.exec(Buffer.from(handle, "base64").toString("latin1"));
  if (!match) throw new AwsError("ReceiptHandleIsInvalid", 400, "The input receipt handle is invalid.");
  return { id: match[1]!, receives: Number(match[2]) };
}
