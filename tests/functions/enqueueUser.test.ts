/** A confirmation through the queue: `enqueueUser` before it, `registerUser` after it, each with real dependencies. */
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createHandler } from "../../functions/enqueueUser";
import { confirmedUser, readConfirmation, writeConfirmation } from "../../functions/shared/confirmation";
import { Wire } from "../faults/support/Wire";
import { Queues } from "../local/services/sqs/support";
import { rejectionOf } from "../support/failures";
import {
  captureLog,
  container,
  Database,
  freshUser,
  inTime,
  invocation,
  recorded,
  SECRET_NAME,
  SecretsEndpoint,
  secretFor,
} from "./support";

let log: any[];
beforeEach(() => {
  log = captureLog();
});
afterEach(() => vi.restoreAllMocks());

describe("before the queue", () => {
  let queues: Queues;
  let url: string;
  let enqueue: ReturnType<typeof createHandler>;
  beforeAll(async () => {
    queues = await Queues.start();
    const { accessKeyId, secretAccessKey } = queues.lambdaService.iam.administrator;
    vi.stubEnv("AWS_ENDPOINT_URL_SQS", queues.sqs.endpoint);
    vi.stubEnv("AWS_REGION", queues.lambdaService.context.region);
    vi.stubEnv("AWS_ACCESS_KEY_ID", accessKeyId);
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", secretAccessKey);
    url = await queues.queue("confirmations");
    enqueue = createHandler({ QueueUrl: url });
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await queues.end();
  });
  /** Takes everything out of the queue. */
  const messages = async () => {
    const received = await queues.receive(url);
    for (const { ReceiptHandle } of received) await queues.delete(url, ReceiptHandle);
    return received.map(({ Body }) => Body!);
  };

  it.each(["signUp", "adminConfirmation", "emoji", "quotes", "nonLatin", "email100Emoji"])(
    "%s: the event is returned, and the message contains only the fields that the row needs",
    async (name) => {
      const event = recorded(name);
      const [before, answer, after] = [Date.now(), await enqueue(event, invocation()), Date.now()];
      expect(answer).toBe(event);
      const [text, ...others] = await messages();
      expect(others).toEqual([]);
      expect(text).toMatch(/^[\x20-\x7e]+$/);
      const { sub, email } = event.request.userAttributes;
      const message = JSON.parse(text!);
      expect(message).toEqual({
        triggerSource: "PostConfirmation_ConfirmSignUp",
        request: { userAttributes: { sub, email } },
        confirmedAt: expect.any(String),
      });
      expect(Date.parse(message.confirmedAt)).toBeGreaterThanOrEqual(before);
      expect(Date.parse(message.confirmedAt)).toBeLessThanOrEqual(after);
      expect(log).toEqual([]);
    },
  );

  it.each(["passwordReset", "postAuthentication"])("%s passes without a message", async (name) => {
    const event = recorded(name);
    expect(await enqueue(event, invocation())).toBe(event);
    expect(await messages()).toEqual([]);
  });

  it.each([
    ["missingEmail", "EMAIL_INVALID"],
    ["missingSub", "SUB_INVALID"],
    ["email101", "EMAIL_INVALID"],
    ["unknownTrigger", "TRIGGER_UNKNOWN"],
  ])("%s is refused with the error of the registration itself", async (name, code) => {
    expect(await rejectionOf(enqueue(recorded(name), invocation()))).toMatchObject({ code });
    expect(await messages()).toEqual([]);
    expect(log).toMatchObject([{ level: "error", code }]);
  });

  it("any address is the same after writing and reading a message", () => {
    const address = fc.tuple(fc.string({ unit: "binary", minLength: 1, maxLength: 40 }), fc.constant("@example.com"));
    fc.assert(
      fc.property(fc.uuid(), address, fc.date({ noInvalidDate: true, min: new Date(0) }), (sub, parts, confirmedAt) => {
        const email = parts.join("").replace(/\p{Cc}/gu, "");
        const text = writeConfirmation("PostConfirmation_ConfirmSignUp", { sub, email }, confirmedAt);
        expect(text).toMatch(/^[\x20-\x7e]+$/);
        fc.pre(confirmedAt.getUTCFullYear() < 10_000 && /[^@]@example/u.test(email));
        expect(confirmedUser(readConfirmation(text))).toEqual({ sub, email, confirmedAt });
      }),
    );
  });

  it("without QueueUrl each invocation fails with that error", async () => {
    const unset = createHandler({});
    for (const _ of [1, 2]) {
      const fault = await rejectionOf(unset(freshUser(), invocation()));
      expect(fault).toMatchObject({ name: "QueueUrlMissing", code: "QUEUE_URL_MISSING" });
      expect(fault.message).toMatch(/^Your account is confirmed but not registered completely yet; .*[^.]$/);
    }
  });

  it("where the queue is gone, the function fails with QUEUE_UNAVAILABLE, and the log has the cause", async () => {
    const event = freshUser();
    const fault = await rejectionOf(
      createHandler({ QueueUrl: url.replace("confirmations", "gone") })(event, invocation()),
    );
    expect(fault).toMatchObject({ name: "QueueUnavailable", code: "QUEUE_UNAVAILABLE" });
    const { sub, email } = event.request.userAttributes;
    expect(log).toMatchObject([
      { level: "error", code: "QUEUE_UNAVAILABLE", sub, causes: [{ name: "QueueDoesNotExist" }] },
    ]);
    expect(JSON.stringify(log)).not.toContain(email);
  });

  it("where the endpoint does not answer, the function fails in time, and the next message is sent", async () => {
    const wire = await Wire.to(Number(new URL(url).port));
    try {
      vi.stubEnv("AWS_ENDPOINT_URL_SQS", `http://127.0.0.1:${wire.port}`);
      const handler = createHandler({ QueueUrl: url });
      wire.silent = true;
      const fault = await inTime(1500, rejectionOf(handler(freshUser(), invocation(1500))));
      expect(fault).toMatchObject({ code: "QUEUE_UNAVAILABLE" });
      wire.silent = false;
      await handler(freshUser(), invocation());
      expect(await messages()).toHaveLength(1);
    } finally {
      vi.stubEnv("AWS_ENDPOINT_URL_SQS", queues.sqs.endpoint);
      await wire.cut();
    }
  });
});

describe("behind the queue", () => {
  const confirmedAt = new Date("2026-02-03T04:05:06.987Z");
  const secrets = new SecretsEndpoint();
  let database: Database;
  let register: ReturnType<typeof container>;
  beforeAll(async () => {
    database = await Database.start();
    await secrets.start();
    secrets.secrets.set(SECRET_NAME, secretFor(database.server));
    register = container(database.server);
  });
  afterAll(async () => {
    await secrets.stop();
    await database.stop();
  });

  const textOf = (event: any) =>
    writeConfirmation("PostConfirmation_ConfirmSignUp", event.request.userAttributes, confirmedAt);
  /** Delivers messages, each with its index as its ID. @returns the indexes that SQS shall deliver again */
  const deliver = async (texts: string[], milliseconds = 5000): Promise<number[]> => {
    const Records = texts.map((body, i) => ({ messageId: String(i), eventSource: "aws:sqs", body }));
    const answer = (await register({ Records }, invocation(milliseconds))) as any;
    return answer.batchItemFailures.map(({ itemIdentifier }: any) => Number(itemIdentifier));
  };

  it("each user becomes one row, dated when the sign-up was confirmed, also if the message comes again", async () => {
    const users = Array.from({ length: 8 }, () => freshUser());
    const texts = users.map(textOf);
    expect(await deliver([...texts, texts[0]!, texts[7]!])).toEqual([]);
    expect(await deliver(texts)).toEqual([]);
    for (const user of users) {
      const { sub, email } = user.request.userAttributes;
      const rows = await database.query(
        "SELECT User_UUID, User_Email, CAST(User_DateAdd AS CHAR) AS at FROM ecommerce_db.users WHERE User_UUID = ?",
        [sub],
      );
      expect(rows).toMatchObject([{ User_UUID: sub, User_Email: email, at: "2026-02-03 04:05:06" }]);
    }
    expect(log).toEqual([]);
  });

  it("a confirmation that a wrong clock dated in the future is dated now", async () => {
    const user = freshUser();
    const { sub } = user.request.userAttributes;
    const tomorrow = new Date(Date.now() + 86_400_000);
    expect(
      await deliver([writeConfirmation("PostConfirmation_ConfirmSignUp", user.request.userAttributes, tomorrow)]),
    ).toEqual([]);
    const [{ seconds }] = await database.query(
      "SELECT TIMESTAMPDIFF(SECOND, User_DateAdd, UTC_TIMESTAMP()) AS seconds FROM ecommerce_db.users WHERE User_UUID = ?",
      [sub],
    );
    expect(seconds).toBeGreaterThanOrEqual(0);
    expect(seconds).toBeLessThan(60);
  });

  it("an address that belongs to another user is logged and not retried, and the next user gets a row", async () => {
    const [owner, other, next] = [freshUser(), freshUser(), freshUser()];
    const { email } = owner.request.userAttributes;
    await deliver([textOf(owner)]);
    const before = await database.rows(owner);
    other.request.userAttributes.email = email;
    expect(await deliver([textOf(other), textOf(next)])).toEqual([]);
    expect(await database.rows(owner)).toEqual(before);
    expect(await database.rows(next)).toHaveLength(1);
    const { sub } = other.request.userAttributes;
    expect(log).toMatchObject([{ level: "error", code: "EMAIL_CONFLICT", sub }]);
    expect(JSON.stringify(log)).not.toContain(email);
  });

  it("data that no row can hold is logged and not retried", async () => {
    const [long, none] = [recorded("email101"), recorded("missingSub")];
    expect(await deliver([textOf(long), textOf(none)])).toEqual([]);
    expect(log.map(({ level, code }) => [level, code])).toEqual([
      ["error", "EMAIL_INVALID"],
      ["error", "SUB_INVALID"],
    ]);
  });

  it("what cannot be read is returned for redelivery, and the next user gets a row", async () => {
    const user = freshUser();
    const good = textOf(user);
    const without = (change: (message: any) => void) => {
      const message = JSON.parse(good);
      change(message);
      return JSON.stringify(message);
    };
    const bad = [
      "not JSON",
      "null",
      "[]",
      "{}",
      without((message) => delete message.confirmedAt),
      without((message) => Object.assign(message, { confirmedAt: "yesterday" })),
      without((message) => Object.assign(message, { confirmedAt: "2026-02-33T04:05:06Z" })),
      without((message) => Object.assign(message, { triggerSource: "PostConfirmation_ConfirmForgotPassword" })),
      without((message) => delete message.request),
    ];
    expect(await deliver([...bad, good])).toEqual(bad.map((_, i) => i));
    expect(await database.rows(user)).toHaveLength(1);
    expect(new Set(log.map(({ level, code }) => `${level} ${code}`))).toEqual(
      new Set(["warn EVENT_MALFORMED", "warn TRIGGER_UNKNOWN"]),
    );
  });

  it("while the database is down all messages are returned in time; later each becomes one row", async () => {
    const users = Array.from({ length: 10 }, () => freshUser());
    const texts = users.map(textOf);
    await database.server.stop();
    database.disconnect();
    expect(await inTime(3000, deliver(texts, 3000))).toEqual(texts.map((_, i) => i));
    expect(log).toMatchObject([{ level: "warn", code: "DATABASE_UNAVAILABLE" }]);
    await database.server.start();
    expect(await deliver(texts)).toEqual([]);
    for (const user of users) expect(await database.rows(user)).toHaveLength(1);
  });

  it("no records, or records of another service, are not a batch: TRIGGER_UNKNOWN", async () => {
    for (const event of [{ Records: [] }, { Records: [{ eventSource: "aws:s3" }] }, { Records: [null] }]) {
      expect(await rejectionOf(register(event, invocation()))).toMatchObject({ code: "TRIGGER_UNKNOWN" });
    }
  });
});
