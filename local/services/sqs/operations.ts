import { createHash } from "node:crypto";
import { AwsError } from "../aws/awsError";
import type { Queue, Received } from "./queue";

export type Input = Readonly<Record<string, unknown>>;

export interface Caller {
  /** The value of the attribute SenderId. */
  readonly id: string;
  /** Aborts the waiting for a message. */
  readonly closing: AbortSignal;
}

/** An operation on a queue; its IAM action is `sqs:` followed by its name. */
type Operation = (queue: Queue, input: Input, caller: Caller) => object | Promise<object>;

/**
 * The simulated operations of SQS.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html
 */
export const operations: Readonly<Record<string, Operation>> = {
  SendMessage(queue, input, { id }) {
    refuse(input, "MessageAttributes", "MessageSystemAttributes", "MessageGroupId", "MessageDeduplicationId");
    const body = text(input, "MessageBody");
    checkBody(body, queue.settings.maxMessageSize);
    const MessageId = queue.send(body, id, whole(input, "DelaySeconds", 0, 900));
    return { MessageId, MD5OfMessageBody: md5(body) };
  },

  async ReceiveMessage(queue, input, { closing }) {
    const messages = await queue.receive({
      max: whole(input, "MaxNumberOfMessages", 1, 10) ?? 1,
      wait: whole(input, "WaitTimeSeconds", 0, 20),
      visibilityTimeout: whole(input, "VisibilityTimeout", 0, 43_200),
      signal: closing,
    });
    const attributeNames = [...texts(input, "MessageSystemAttributeNames"), ...texts(input, "AttributeNames")];
    const Messages = messages.map((message) => ({
      MessageId: message.id,
      ReceiptHandle: message.receiptHandle,
      MD5OfBody: md5(message.body),
      Body: message.body,
      ...(attributeNames.length === 0 ? {} : { Attributes: chosen(systemAttributes(message), attributeNames) }),
    }));
    return Messages.length === 0 ? {} : { Messages };
  },

  DeleteMessage(queue, input) {
    queue.delete(text(input, "ReceiptHandle"));
    return {};
  },

  ChangeMessageVisibility(queue, input) {
    const seconds = whole(input, "VisibilityTimeout", 0, 43_200);
    if (seconds === undefined) throw missing("VisibilityTimeout");
    queue.changeVisibility(text(input, "ReceiptHandle"), seconds);
    return {};
  },

  GetQueueAttributes(queue, input) {
    return { Attributes: chosen(queueAttributes(queue), texts(input, "AttributeNames")) };
  },

  PurgeQueue(queue) {
    queue.purge();
    return {};
  },
};

/** The attributes of a message that SQS sets, all as text. */
export function systemAttributes(message: Received): Record<string, string> {
  return {
    ApproximateReceiveCount: String(message.receives),
    SentTimestamp: String(message.sentAt),
    SenderId: message.senderId,
    ApproximateFirstReceiveTimestamp: String(message.firstReceivedAt),
    ...(message.source === undefined ? {} : { DeadLetterQueueSourceArn: message.source }),
  };
}

export const md5 = (body: string) => createHash("md5").update(body).digest("hex");

function queueAttributes(queue: Queue): Record<string, string> {
  const { settings } = queue;
  const { visible, inFlight, delayed } = queue.count();
  const { deadLetterArn, maxReceives } = settings.redrive ?? {};
  return {
    QueueArn: queue.arn,
    ApproximateNumberOfMessages: String(visible),
    ApproximateNumberOfMessagesNotVisible: String(inFlight),
    ApproximateNumberOfMessagesDelayed: String(delayed),
    VisibilityTimeout: String(settings.visibilityTimeout),
    DelaySeconds: String(settings.delay),
    ReceiveMessageWaitTimeSeconds: String(settings.receiveWaitTime),
    MessageRetentionPeriod: String(settings.retention),
    MaximumMessageSize: String(settings.maxMessageSize),
    ...(deadLetterArn === undefined
      ? {}
      : { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadLetterArn, maxReceiveCount: maxReceives }) }),
  };
}

function chosen(all: Record<string, string>, names: readonly string[]): Record<string, string> {
  if (names.includes("All")) return all;
  return Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name)));
}

/** SQS accepts only characters that XML allows. */
function checkBody(body: string, maxSize: number): void {
  if (/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(body)) {
    throw new AwsError("InvalidMessageContents", 400, "The message contains characters outside the allowed set.");
  }
  if (Buffer.byteLength(body) > maxSize) {
    throw invalid(`One or more parameters are invalid. Reason: Message must be shorter than ${maxSize} bytes.`);
  }
}

/** A text of the request. @throws AwsError if it is missing or empty */
export function text(input: Input, key: string): string {
  const value = input[key];
  if (typeof value === "string" && value !== "") return value;
  throw missing(key);
}

function texts(input: Input, key: string): string[] {
  const value = input[key] ?? [];
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw invalid(`${key} must be a list of strings.`);
}

function whole(input: Input, key: string, min: number, max: number): number | undefined {
  const value = input[key] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
  const reason = `Must be between ${min} and ${max}, if provided.`;
  throw invalid(`Value ${JSON.stringify(value)} for parameter ${key} is invalid. Reason: ${reason}`);
}

/** Refuses parameters that would change the operation and must not be ignored. */
function refuse(input: Input, ...keys: string[]): void {
  const given = keys.find((key) => input[key] !== undefined && input[key] !== null);
  if (given) throw new AwsError("UnsupportedOperation", 400, `${given} is not simulated on this machine.`);
}

function missing(key: string): AwsError {
  return new AwsError("MissingParameter", 400, `The request must contain the parameter ${key}.`);
}

function invalid(message: string): AwsError {
  return new AwsError("InvalidParameterValue", 400, message);
}
