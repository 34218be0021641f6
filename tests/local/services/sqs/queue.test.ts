/** The queues, through the AWS SDK. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  ChangeMessageVisibilityCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  PurgeQueueCommand,
  SendMessageCommand,
} from "@aws-sdk/client-sqs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Queue } from "../../../../local/services/sqs/queue";
import { Queues, sleep } from "./support";

let queues: Queues;
beforeEach(async () => {
  queues = await Queues.start();
});
afterEach(() => queues.end());

describe("a message", () => {
  test("is sent, received with SQS's attributes, and gone when deleted", async () => {
    const url = await queues.queue("work");
    const { MessageId } = await queues.send(url, "tea ☕");
    const [message, ...others] = await queues.receive(url);
    expect(others).toEqual([]);
    expect(message).toMatchObject({
      MessageId,
      Body: "tea ☕",
      Attributes: { ApproximateReceiveCount: "1", SenderId: "administrator" },
    });
    expect(Math.abs(Number(message!.Attributes!.SentTimestamp) - Date.now())).toBeLessThan(60_000);
    await queues.delete(url, message!.ReceiptHandle);
    await queues.delete(url, message!.ReceiptHandle);
    expect(await queues.count(url)).toEqual([0, 0]);
  });

  test("is hidden for the visibility timeout, then received again with a higher count", async () => {
    const url = await queues.queue("work", { visibilityTimeoutSeconds: 1 });
    await queues.send(url, "a");
    const [first] = await queues.receive(url);
    expect(await queues.receive(url)).toEqual([]);
    expect(await queues.count(url)).toEqual([0, 1]);
    const [second] = await queues.receive(url, { WaitTimeSeconds: 3 });
    expect(second).toMatchObject({ Body: "a", Attributes: { ApproximateReceiveCount: "2" } });
    expect(second!.ReceiptHandle).not.toBe(first!.ReceiptHandle);
    // A consumer that was too slow cannot delete it.
    await queues.delete(url, first!.ReceiptHandle);
    expect(await queues.count(url)).toEqual([0, 1]);
    await queues.delete(url, second!.ReceiptHandle);
    expect(await queues.count(url)).toEqual([0, 0]);
  });

  test("may be hidden for longer, or made visible at once", async () => {
    const url = await queues.queue("work", { visibilityTimeoutSeconds: 1 });
    await queues.send(url, "a");
    const [{ ReceiptHandle } = {}] = await queues.receive(url);
    const change = (VisibilityTimeout: number) =>
      queues.client().send(new ChangeMessageVisibilityCommand({ QueueUrl: url, ReceiptHandle, VisibilityTimeout }));
    await change(60);
    await sleep(1100);
    expect(await queues.receive(url)).toEqual([]);
    await change(0);
    await expect(change(5)).rejects.toMatchObject({ name: "MessageNotInflight" });
    expect(await queues.receive(url)).toHaveLength(1);
  });

  test("is received by a waiting consumer as soon as it is sent", async () => {
    const url = await queues.queue("work");
    const started = performance.now();
    const waiting = queues.receive(url, { WaitTimeSeconds: 20 });
    await sleep(200);
    await queues.send(url, "a");
    expect(await waiting).toHaveLength(1);
    // If the queue looked for it only at the end of the wait, it would take 20 s.
    expect(performance.now() - started).toBeLessThan(15_000);
  });

  test("may be delayed", async () => {
    const url = await queues.queue("work");
    await queues.send(url, "later", { DelaySeconds: 1 });
    await queues.send(url, "now");
    expect(await queues.receive(url)).toMatchObject([{ Body: "now" }]);
    expect(await queues.receive(url, { WaitTimeSeconds: 3 })).toMatchObject([{ Body: "later" }]);
  });

  test("is received by one consumer only, at most ten at a time, the oldest first", async () => {
    const url = await queues.queue("work");
    for (let i = 0; i < 25; i++) await queues.send(url, String(i));
    const batches = await Promise.all([1, 2, 3, 4].map(() => queues.receive(url)));
    expect(batches.map((batch) => batch.length).toSorted((a, b) => a - b)).toEqual([0, 5, 10, 10]);
    expect(new Set(batches.flat().map(({ Body }) => Body)).size).toBe(25);
    const first = batches.find((batch) => batch.some(({ Body }) => Body === "0"))!;
    expect(first.map(({ Body }) => Body)).toEqual(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
  });

  test("survives the end of the process, also in the middle of a write, and stays hidden for its visibility timeout", async () => {
    const url = await queues.queue("work", { visibilityTimeoutSeconds: 1 });
    await queues.send(url, "held");
    await queues.receive(url);
    await queues.send(url, "waiting");
    await queues.restart();
    appendFileSync(join(queues.lambdaService.context.directory, "sqs/work.jsonl"), '["half a li');
    const again = await queues.queue("work", { visibilityTimeoutSeconds: 1 });
    expect(await queues.receive(again)).toMatchObject([{ Body: "waiting" }]);
    expect(await queues.receive(again, { WaitTimeSeconds: 3 })).toMatchObject([
      { Body: "held", Attributes: { ApproximateReceiveCount: "2" } },
    ]);
  });

  test("is deleted after the retention period, and not before", () => {
    const directory = mkdtempSync(join(tmpdir(), "queue-"));
    try {
      let now = Date.now();
      const settings = { visibilityTimeout: 30, delay: 0, receiveWaitTime: 0, retention: 60, maxMessageSize: 1024 };
      const queue = new Queue(
        "arn",
        join(directory, "q.jsonl"),
        settings,
        () => undefined,
        () => now,
      );
      queue.send("a", "me");
      now += 59_000;
      expect(queue.count().visible).toBe(1);
      now += 2_000;
      expect(queue.count().visible).toBe(0);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe("a dead letter", () => {
  test("is moved after the maximum of receives, with its source queue", async () => {
    const { work, dead } = await queues.withDeadLetters(2, { visibilityTimeoutSeconds: 0 });
    const { MessageId } = await queues.send(work, "bad");
    expect(await queues.receive(work)).toHaveLength(1);
    expect(await queues.receive(work)).toHaveLength(1);
    expect(await queues.count(dead)).toEqual([0, 0]);
    expect(await queues.receive(work)).toEqual([]);
    expect(await queues.receive(dead)).toMatchObject([
      { MessageId, Body: "bad", Attributes: { DeadLetterQueueSourceArn: queues.arn("work") } },
    ]);
    expect(await queues.count(work)).toEqual([0, 0]);
  });

  test("needs a queue that exists and allows this one as a source", async () => {
    const redrivePolicy = JSON.stringify({ deadLetterTargetArn: queues.arn("dead"), maxReceiveCount: 2 });
    await expect(queues.queue("work", { redrivePolicy })).rejects.toThrow(/dead-letter queue .*:dead does not exist/);
    const dead = await queues.queue("dead");
    const allow = (redriveAllowPolicy: object) =>
      queues.make("aws:sqs/redriveAllowPolicy:RedriveAllowPolicy", "allow", {
        queueUrl: dead,
        redriveAllowPolicy: JSON.stringify(redriveAllowPolicy),
      });
    await allow({ redrivePermission: "byQueue", sourceQueueArns: [queues.arn("other")] });
    await expect(queues.queue("work", { redrivePolicy })).rejects.toThrow(/refuses .*:work as a source/);
    await allow({ redrivePermission: "byQueue", sourceQueueArns: [queues.arn("work")] });
    const work = await queues.queue("work", { redrivePolicy });
    await expect(allow({ redrivePermission: "denyAll" })).rejects.toThrow(/refuses .*:work as a source/);
    const command = new GetQueueAttributesCommand({ QueueUrl: work, AttributeNames: ["RedrivePolicy"] });
    const { Attributes } = await queues.client().send(command);
    expect(JSON.parse(Attributes!.RedrivePolicy!)).toEqual(JSON.parse(redrivePolicy));
  });
});

describe("permissions", () => {
  const role = () => queues.client(queues.lambdaService.iam.credentialsFor(queues.lambdaService.role));
  const send = (url: string) => role().send(new SendMessageCommand({ QueueUrl: url, MessageBody: "a" }));

  test("a role may do only what its policies allow on this queue", async () => {
    const [mine, other] = [await queues.queue("mine"), await queues.queue("other")];
    await queues.allow("sqs:SendMessage", queues.arn("mine"));
    await send(mine);
    const denied = { name: "AccessDeniedException" };
    await expect(send(other)).rejects.toMatchObject(denied);
    await expect(send(mine.replace("mine", "nowhere"))).rejects.toMatchObject(denied);
    const purge = new PurgeQueueCommand({ QueueUrl: mine });
    await expect(role().send(purge)).rejects.toMatchObject({
      ...denied,
      message: expect.stringContaining(
        `is not authorized to perform: sqs:PurgeQueue on resource: ${queues.arn("mine")}`,
      ),
    });
  });

  test("a role may not do what the queue's policy denies; a denial of plain HTTP has no effect here", async () => {
    const url = await queues.queue("mine");
    await queues.allow("sqs:*", queues.arn("mine"));
    const deny = (Statement: object) =>
      queues.make("aws:sqs/queuePolicy:QueuePolicy", "policy", {
        queueUrl: url,
        policy: JSON.stringify({
          Version: "2012-10-17",
          Statement: [{ Effect: "Deny", Principal: "*", Resource: queues.arn("mine"), ...Statement }],
        }),
      });
    await deny({ Action: "sqs:*", Condition: { Bool: { "aws:SecureTransport": "false" } } });
    await send(url);
    await deny({ Action: "sqs:SendMessage" });
    await expect(send(url)).rejects.toMatchObject({ name: "AccessDeniedException" });
  });

  test("a wrong signature is refused", async () => {
    const url = await queues.queue("mine");
    const { accessKeyId } = queues.lambdaService.iam.administrator;
    const forged = queues.client({ accessKeyId, secretAccessKey: "x" });
    const command = new SendMessageCommand({ QueueUrl: url, MessageBody: "a" });
    await expect(forged.send(command)).rejects.toMatchObject({ name: "InvalidSignatureException" });
  });
});

describe("what is refused", () => {
  test.each([
    ["an empty body", { MessageBody: "" }, "MissingParameter"],
    ["a body beyond the queue's limit", { MessageBody: "a".repeat(1025) }, "InvalidParameterValue"],
    ["characters that XML does not allow", { MessageBody: "a\u0000b" }, "InvalidMessageContents"],
    ["a delay out of range", { MessageBody: "a", DelaySeconds: 901 }, "InvalidParameterValue"],
    [
      "attributes, which are not simulated",
      { MessageBody: "a", MessageAttributes: { a: { DataType: "String", StringValue: "b" } } },
      "UnsupportedOperation",
    ],
  ])("a message with %s", async (_, input, name) => {
    const QueueUrl = await queues.queue("work", { maxMessageSize: 1024 });
    await expect(queues.client().send(new SendMessageCommand({ QueueUrl, ...input }))).rejects.toMatchObject({ name });
    expect(await queues.count(QueueUrl)).toEqual([0, 0]);
  });

  test("a queue that does not exist, an invalid receipt, an operation that is not simulated", async () => {
    const url = await queues.queue("work");
    await expect(queues.send(url.replace("work", "x"), "a")).rejects.toMatchObject({ name: "QueueDoesNotExist" });
    await expect(queues.delete(url, "nonsense")).rejects.toMatchObject({ name: "ReceiptHandleIsInvalid" });
    const list = queues.client().send(new ListQueuesCommand({}));
    await expect(list).rejects.toMatchObject({
      name: "UnsupportedOperation",
      message: expect.stringMatching(/^ListQueues is not simulated here; these are: SendMessage, /),
    });
  });

  test.each([
    ["a name with other characters", { name: "a b" }, /its name may have/],
    ["a FIFO queue", { fifoQueue: true }, /fifoQueue is not simulated/],
    [
      "a time out of range",
      { visibilityTimeoutSeconds: 43_201 },
      /visibilityTimeoutSeconds is 43201; allowed: a whole/,
    ],
    ["a redrive policy that is not JSON", { redrivePolicy: "{" }, /redrivePolicy is "\{"; it must be JSON text/],
    [
      "a redrive policy without a count",
      { redrivePolicy: '{"deadLetterTargetArn":"a"}' },
      /"maxReceiveCount": 1 to 1000/,
    ],
    ["an invalid policy", { policy: "{}" }, /Statement/],
  ])("%s", async (_, inputs, message) => {
    await expect(queues.queue("work", inputs)).rejects.toThrow(message);
  });
});

test("a queue is found by name, purged, and changed by the next registration without losing a message", async () => {
  const url = await queues.queue("work");
  expect((await queues.client().send(new GetQueueUrlCommand({ QueueName: "work" }))).QueueUrl).toBe(url);
  await queues.send(url, "a");
  await queues.queue("work", { visibilityTimeoutSeconds: 77 });
  const command = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["VisibilityTimeout"] });
  expect((await queues.client().send(command)).Attributes).toEqual({ VisibilityTimeout: "77" });
  expect(await queues.count(url)).toEqual([1, 0]);
  await queues.client().send(new PurgeQueueCommand({ QueueUrl: url }));
  expect(await queues.count(url)).toEqual([0, 0]);
  expect(readFileSync(join(queues.lambdaService.context.directory, "sqs/work.jsonl"), "utf8")).not.toBe("");
});

test("closing does not wait for consumers that wait for a message", async () => {
  const url = await queues.queue("work");
  const waiting = queues.receive(url, { WaitTimeSeconds: 20 }).catch(() => []);
  await sleep(200);
  const started = performance.now();
  await queues.sqs.close();
  expect(await waiting).toEqual([]);
  // The consumer waits for 20 s.
  expect(performance.now() - started).toBeLessThan(15_000);
});
