/** Lambda's event source mapping: from a queue to a function in a separate process. */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { until } from "../lambda/support";
import { Queues, sleep } from "./support";

const mapping = "aws:lambda/eventSourceMapping:EventSourceMapping";
/** For messages that are to be delivered again, so that this happens soon. */
const soonVisible = { visibilityTimeoutSeconds: 1 };
/** For messages that are not: a busy machine may need more than a second for one, and it would be delivered again. */
const longHidden = { visibilityTimeoutSeconds: 30 };
let queues: Queues;
let seen: string;
beforeEach(async () => {
  queues = await Queues.start();
  seen = join(queues.lambdaService.context.directory, "seen.txt");
});
afterEach(() => queues.end());

/**
 * A function that appends each batch to a file and then runs the source `answer`; `batch` has the records. It is invoked
 * once, so that it has a container: the start of one may take longer than a message is hidden.
 */
const work = async (answer: string, inputs: Record<string, unknown> = {}) => {
  await queues.lambdaService.make(
    "work",
    `const { appendFileSync } = require("node:fs");
     exports.handler = async ({ Records: batch }) => {
       if (batch === undefined) return;
       appendFileSync(${JSON.stringify(seen)}, JSON.stringify(batch) + "\\n");
       ${answer}
     };`,
    { timeout: 1, ...inputs },
  );
  expect(await queues.lambdaService.invoke("work")).toEqual({ failed: false, answer: null });
};
const mayTake = () =>
  queues.allow(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], queues.arn("work"), "take");
const deliver = (inputs: Record<string, unknown> = {}) =>
  queues.make(mapping, "delivery", { eventSourceArn: queues.arn("work"), functionName: "work", ...inputs });
const reporting = { functionResponseTypes: ["ReportBatchItemFailures"] };
const batches = (): any[][] =>
  existsSync(seen)
    ? readFileSync(seen, "utf8")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line))
    : [];
const bodies = () => batches().map((batch) => batch.map(({ body }) => body));
const emptied = (url: string) => until(async () => (await queues.count(url)).every((count) => count === 0), 40_000);

describe("a batch", () => {
  test("arrives in Lambda's format, and is deleted after the function has processed it", async () => {
    const url = await queues.queue("work", longHidden);
    await mayTake();
    await work("");
    for (const body of ["a", "b", "c"]) await queues.send(url, body);
    await deliver({ batchSize: 2 });
    await emptied(url);
    expect(bodies().flat().toSorted()).toEqual(["a", "b", "c"]);
    for (const batch of batches()) expect(batch.length).toBeLessThanOrEqual(2);
    const records = batches().flat();
    expect(records.find(({ body }) => body === "a")).toEqual({
      messageId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      receiptHandle: expect.any(String),
      body: "a",
      attributes: {
        ApproximateReceiveCount: "1",
        SentTimestamp: expect.stringMatching(/^\d{13}$/),
        SenderId: "administrator",
        ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/),
      },
      messageAttributes: {},
      md5OfBody: "0cc175b9c0f1b6a831c399e269772661",
      eventSource: "aws:sqs",
      eventSourceARN: queues.arn("work"),
      awsRegion: "eu-west-1",
    });
  });

  test("is delivered again as a whole if the function fails", async () => {
    const url = await queues.queue("work", soonVisible);
    await mayTake();
    await work(`if (batch[0].attributes.ApproximateReceiveCount === "1") throw new Error("not yet");`);
    await queues.send(url, "a");
    await deliver(reporting);
    await emptied(url);
    expect(bodies()).toEqual([["a"], ["a"]]);
  });

  test("is delivered again in part if the function names the failures, until they are dead letters", async () => {
    const { work: url, dead } = await queues.withDeadLetters(2, soonVisible);
    await mayTake();
    await work(`
      const failed = batch.filter(({ body }) => body === "bad");
      return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };`);
    for (const body of ["good", "bad", "fine"]) await queues.send(url, body);
    await deliver(reporting);
    await until(async () => (await queues.count(dead))[0] === 1, 40_000);
    expect(await queues.count(url)).toEqual([0, 0]);
    expect(bodies().flat().toSorted()).toEqual(["bad", "bad", "fine", "good"]);
    expect(await queues.receive(dead)).toMatchObject([{ Body: "bad" }]);
  });

  test("is deleted if the function names failures but the mapping does not request them", async () => {
    const url = await queues.queue("work", longHidden);
    await mayTake();
    await work("return { batchItemFailures: [{ itemIdentifier: batch[0].messageId }] };");
    await queues.send(url, "a");
    await deliver();
    await emptied(url);
    expect(bodies()).toEqual([["a"]]);
  });

  test.each([
    ["a list with an unknown identifier", '{ batchItemFailures: [{ itemIdentifier: "x" }] }'],
    ["a list with an empty identifier", '{ batchItemFailures: [{ itemIdentifier: "" }] }'],
    ["a list with another key", "{ batchItemFailures: [{ id: batch[0].messageId }] }"],
    ["something else than a list", '{ batchItemFailures: "all" }'],
  ])("is delivered again as a whole if the answer is %s", async (_, answer) => {
    const url = await queues.queue("work", soonVisible);
    await mayTake();
    await work(`if (batch[0].attributes.ApproximateReceiveCount === "1") return ${answer};`);
    await queues.send(url, "a");
    await deliver(reporting);
    await emptied(url);
    expect(bodies()).toEqual([["a"], ["a"]]);
    expect((await queues.lambdaService.lambda.recentLogs("work")).join("\n")).toContain(
      "all messages of the batch will be delivered again",
    );
  });

  test.each(["null", "{}", "{ batchItemFailures: null }", "{ batchItemFailures: [] }"])(
    "is deleted if the answer is %s",
    async (answer) => {
      const url = await queues.queue("work", longHidden);
      await mayTake();
      await work(`return ${answer};`);
      await queues.send(url, "a");
      await deliver(reporting);
      await emptied(url);
      expect(bodies()).toEqual([["a"]]);
    },
  );
});

test("no more batches are under way than the mapping allows, and all are processed", async () => {
  const url = await queues.queue("work", { visibilityTimeoutSeconds: 30 });
  await mayTake();
  const log = join(queues.lambdaService.context.directory, "turns.txt");
  appendFileSync(log, "");
  // The first batch runs until another one is under way too, however long the start of that one's container takes.
  await work(
    `const { readFileSync } = require("node:fs");
    const log = ${JSON.stringify(log)};
    appendFileSync(log, "+");
    do await new Promise((resolve) => setTimeout(resolve, 50));
    while (readFileSync(log, "utf8") === "+");
    appendFileSync(log, "-");`,
    { timeout: 20 },
  );
  for (let i = 0; i < 12; i++) await queues.send(url, String(i));
  await deliver({ batchSize: 1, scalingConfig: { maximumConcurrency: 2 } });
  await emptied(url);
  expect(bodies().flat()).toHaveLength(12);
  let [running, most] = [0, 0];
  for (const turn of readFileSync(log, "utf8")) {
    running += turn === "+" ? 1 : -1;
    most = Math.max(most, running);
  }
  expect(most).toBe(2);
});

test("throttled messages are delivered later", async () => {
  const url = await queues.queue("work", soonVisible);
  await mayTake();
  await work("await new Promise((resolve) => setTimeout(resolve, 100));", { reservedConcurrentExecutions: 1 });
  for (let i = 0; i < 4; i++) await queues.send(url, String(i));
  await deliver({ batchSize: 1 });
  await emptied(url);
  expect(new Set(bodies().flat()).size).toBe(4);
});

test("closing does not wait for a slow function", async () => {
  const url = await queues.queue("work", { visibilityTimeoutSeconds: 30 });
  await mayTake();
  await work("await new Promise((resolve) => setTimeout(resolve, 60_000));", { timeout: 20 });
  await queues.send(url, "a");
  await deliver();
  await until(() => batches().length > 0);
  const started = performance.now();
  await queues.sqs.close();
  // If it waited, it would take the function's 20 s.
  expect(performance.now() - started).toBeLessThan(15_000);
});

test("messages that were interrupted or waiting are delivered at the next start", async () => {
  const url = await queues.queue("work", soonVisible);
  await mayTake();
  await work("await new Promise((resolve) => setTimeout(resolve, 60_000));", { timeout: 1 });
  await queues.send(url, "cut off");
  await deliver({ batchSize: 1, scalingConfig: { maximumConcurrency: 2 } });
  await until(() => batches().length > 0);
  await queues.sqs.close();
  const before = batches().length;

  await queues.restart();
  const again = await queues.queue("work", soonVisible);
  await queues.send(again, "waiting");
  await sleep(1200);
  expect(batches()).toHaveLength(before);
  await work("");
  await deliver();
  await emptied(again);
  expect(bodies().slice(before).flat().toSorted()).toEqual(["cut off", "waiting"]);
});

test("a mapping may be disabled and enabled again", async () => {
  const url = await queues.queue("work", longHidden);
  await mayTake();
  await work("");
  expect(await deliver({ enabled: false })).toMatchObject({ state: "Disabled", functionName: "work" });
  await queues.send(url, "a");
  await sleep(300);
  expect(batches()).toEqual([]);
  const { uuid } = await deliver();
  expect(uuid).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  await emptied(url);
  await deliver({ enabled: false });
  await queues.send(url, "b");
  await sleep(300);
  expect(bodies()).toEqual([["a"]]);
});

describe("a mapping is refused", () => {
  test.each([
    [
      "of a queue that does not exist",
      { eventSourceArn: "arn:aws:sqs:eu-west-1:1:x" },
      /is not a queue of this machine/,
    ],
    ["to a function that does not exist", { functionName: "x" }, /Function not found/],
    ["with a batch beyond ten", { batchSize: 11 }, /batchSize is 11; allowed: a whole number from 1 to 10/],
    ["with a concurrency below two", { scalingConfig: { maximumConcurrency: 1 } }, /maximumConcurrency is 1; allowed/],
    ["with an unknown kind of answer", { functionResponseTypes: ["All"] }, /allowed: \["ReportBatchItemFailures"\]/],
    ["with filters", { filterCriteria: { filters: [] } }, /filterCriteria is not simulated/],
    [
      "with a batching window",
      { maximumBatchingWindowInSeconds: 5 },
      /maximumBatchingWindowInSeconds is not simulated/,
    ],
  ])("%s", async (_, inputs, message) => {
    await queues.queue("work");
    await mayTake();
    await work("");
    await expect(deliver(inputs)).rejects.toThrow(message);
  });

  test("if the function's role may not take messages", async () => {
    await queues.queue("work");
    await work("");
    await expect(deliver()).rejects.toThrow(/role .* does not have permissions to call ReceiveMessage on SQS/);
    await queues.allow("sqs:ReceiveMessage", queues.arn("work"));
    await expect(deliver()).rejects.toThrow(/does not have permissions to call DeleteMessage on SQS/);
  });

  test("if messages would be delivered again while the function processes them", async () => {
    await queues.queue("work", { visibilityTimeoutSeconds: 4 });
    await mayTake();
    await work("", { timeout: 5 });
    await expect(deliver()).rejects.toThrow("visibility timeout: 4 seconds is less than Function timeout: 5 seconds");
  });
});
