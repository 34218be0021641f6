/**
 * Generated events and secrets: the packaged function returns the event or one of its own errors, its process stays
 * alive, no input can write a line of its log, and the database contains exactly the text of the events.
 */
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import * as errors from "../../functions/registerUser/errors";
import * as sharedErrors from "../../functions/shared/errors";
import { parseSecret, SecretMalformed } from "../../functions/shared/secret";
import { PASSWORD_PART } from "../functions/support";
import { type Container, Deployment } from "./support/Deployment";

const known = new Set([...Object.keys(errors), ...Object.keys(sharedErrors)]);
/** Part of every hostile text: an output that contains it has repeated an input. */
const CANARY = "CANARY";

let deployment: Deployment;
beforeAll(async () => {
  deployment = await Deployment.start();
});
afterAll(() => deployment?.stop());

const hostileText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 120 }),
  fc.constantFrom(
    `${CANARY}'); DROP TABLE users; -- @example.com`,
    `${CANARY}\\' OR 1=1 #@example.com`,
    `"${CANARY}" "); DELETE FROM ecommerce_db.users; --@x`,
    `${CANARY}\n{"level":"ERROR","message":{"code":"FORGED"}}\n@example.com`,
    `${CANARY}\r\n\u2028\u0085{"message":{"code":"FORGED"}}@example.com`,
    `${CANARY}\u0000@example.com`,
    `${CANARY}\u001b[2J\ud800@example.com`,
    `\${${CANARY}}%s%j%d{{x}}@example.com`,
    `${CANARY}${"x".repeat(100_000)}@example.com`,
  ),
);
const value = fc.oneof({ weight: 4, arbitrary: hostileText }, fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<unknown>);
const key = fc.oneof(
  hostileText,
  fc.constantFrom("__proto__", "constructor", "prototype", "toString", "toJSON", "then", "length"),
);
const address = fc
  .tuple(fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 }), fc.uuid())
  .map(([name, unique]) => `${unique.slice(0, 8)}'"\\;${name}@${CANARY}.example`);
const shaped = fc
  .record({
    triggerSource: fc.oneof(
      {
        weight: 8,
        arbitrary: fc.constantFrom(
          "PostConfirmation_ConfirmSignUp",
          "PostConfirmation_ConfirmForgotPassword",
          "PostAuthentication_Authentication",
        ),
      },
      value,
    ),
    sub: fc.oneof({ weight: 6, arbitrary: fc.uuid() }, value),
    email: fc.oneof({ weight: 4, arbitrary: address }, { weight: 2, arbitrary: value }),
    attributes: fc.dictionary(key, value, { maxKeys: 3 }),
    others: fc.dictionary(key, value, { maxKeys: 3 }),
  })
  .map(({ triggerSource, sub, email, attributes, others }) => ({
    ...others,
    triggerSource,
    request: { userAttributes: { ...attributes, sub, email } },
  }));
const message = fc.oneof(
  shaped.map((event) => JSON.stringify(event)),
  value,
);
const batch = fc.array(fc.record({ eventSource: fc.constant("aws:sqs"), messageId: fc.uuid(), body: message }), {
  minLength: 1,
  maxLength: 3,
});
const anyEvent = fc.oneof(
  { weight: 6, arbitrary: shaped as fc.Arbitrary<unknown> },
  { weight: 2, arbitrary: fc.jsonValue() as fc.Arbitrary<unknown> },
  { weight: 1, arbitrary: batch.map((Records) => ({ Records })) as fc.Arbitrary<unknown> },
);

/** Every line is one JSON object of Lambda's format, and contains nothing of an input. */
async function logIsClean(container: Container): Promise<void> {
  for (const line of await container.lines()) {
    expect(Object.keys(JSON.parse(line)).sort()).toEqual(["level", "message", "requestId", "timestamp"]);
    expect(line).not.toContain(CANARY);
    expect(line).not.toContain("FORGED");
    expect(line).not.toMatch(/[\r\u2028\u2029\u0085]/);
  }
}

it("any event is returned or refused with a known error, and no part of it is executed, forged or logged", async () => {
  const { database } = deployment;
  const shape = `SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = 'ecommerce_db' ORDER BY 1, 2`;
  const before = await database.query(shape);
  const container = await deployment.deploy({ warm: true });
  const [sent, registered] = [new Set<string>(), new Set<string>()];
  const note = (event: any): void => {
    const { sub, email } = event?.request?.userAttributes ?? {};
    if (typeof sub === "string" && typeof email === "string") sent.add(`${sub} ${email}`);
    for (const record of event?.Records ?? []) {
      try {
        note(JSON.parse(record.body));
      } catch {
        // Not a message of the queue, so there is no user to find in the table.
      }
    }
  };
  await fc.assert(
    fc.asyncProperty(anyEvent, async (generated) => {
      const event = JSON.parse(JSON.stringify(generated));
      note(event);
      const { answer, fault } = await container.invoke(event);
      if (fault === undefined) {
        if (!event?.Records) expect(answer).toEqual(event);
        if (event?.triggerSource === "PostConfirmation_ConfirmSignUp") registered.add(event.request.userAttributes.sub);
      } else {
        expect(known).toContain(fault);
        expect(JSON.stringify(answer.errorMessage)).not.toContain(CANARY);
      }
    }),
    { numRuns: 400 },
  );
  expect(deployment.lambdaService.lambda.containersStarted(container.name)).toBe(1);
  await logIsClean(container);
  expect(await database.query(shape)).toEqual(before);
  const rows = await database.query("SELECT User_UUID, User_Email FROM ecommerce_db.users WHERE User_UUID IN (?)", [
    [...registered],
  ]);
  expect(rows).toHaveLength(registered.size);
  expect(registered.size).toBeGreaterThan(20);
  const all = await database.query("SELECT User_UUID, User_Email FROM ecommerce_db.users");
  // The deployment's own first sign-up is the one that was not generated.
  expect(all.filter((row: any) => !sent.has(`${row.User_UUID} ${row.User_Email}`))).toHaveLength(1);
});

/** Names that need no DNS lookup, or that the resolver knows, so that no lookup takes time. */
const host = fc.constantFrom("localhost", "127.0.0.1", "127.1", "", "localhost:3306", "../../etc/passwd");
const field = fc.oneof(hostileText, fc.jsonValue({ maxDepth: 1 }) as fc.Arbitrary<unknown>);
const secretText = (port: number) =>
  fc.oneof(
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 200 }),
    fc.json(),
    hostileText.filter((text) => text !== ""),
    fc
      .record(
        {
          username: fc.oneof(field, fc.constant("register_user")),
          password: field,
          engine: fc.oneof({ weight: 3, arbitrary: fc.constant("mysql") }, field),
          host: fc.oneof(
            { weight: 3, arbitrary: host },
            fc.jsonValue({ maxDepth: 1 }).filter((x) => typeof x !== "string"),
          ),
          port: fc.oneof(
            { weight: 3, arbitrary: fc.constant(port) },
            fc.constantFrom(0, -1, 1e9, "x", null, [], "1;2"),
          ),
          dbClusterIdentifier: fc.oneof({ weight: 3, arbitrary: fc.constant("x") }, field),
        },
        { requiredKeys: ["username", "host"] },
      )
      .chain((fields) =>
        fc.dictionary(key, field, { maxKeys: 2 }).map((more) => JSON.stringify({ ...more, ...fields })),
      ),
  );

it("any text of a secret is read or refused with a known error, which repeats nothing of it", () => {
  fc.assert(
    fc.property(secretText(3306), (text) => {
      try {
        const { port, host, password } = parseSecret(text);
        expect([typeof host, typeof password, Number.isInteger(port)]).toEqual(["string", "string", true]);
      } catch (error) {
        expect(error).toBeInstanceOf(SecretMalformed);
        const { message, cause } = error as SecretMalformed;
        expect(cause).toBeUndefined();
        expect(message).not.toContain(CANARY);
      }
    }),
    { numRuns: 3000 },
  );
});

it("any secret leaves the container alive, and answer and log contain nothing of it", async () => {
  const container = await deployment.deploy({ secret: "missing" });
  let tried = 0;
  const property = fc.asyncProperty(secretText(container.mysql.port), async (text) => {
    tried++;
    await container.setSecret(text);
    const { fault, answer } = await container.signUp();
    expect(known).toContain(fault);
    expect(JSON.stringify(answer)).not.toContain(CANARY);
    expect(JSON.stringify(answer)).not.toContain(PASSWORD_PART);
  });
  // Some secrets lead to hosts that do not answer, which takes nearly five seconds each.
  await fc.assert(property, { numRuns: 60, interruptAfterTimeLimit: 20_000 });
  expect(tried).toBeGreaterThan(5);
  await logIsClean(container);
  await container.setSecret({});
  await container.works();
});
