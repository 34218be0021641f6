import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Database } from "../../functions/registerUser/database";
import { handlerOf } from "../../functions/registerUser/handler";
import { RecentlySeen } from "../../functions/registerUser/recentlySeen";
import { type RetryPolicy, retryPolicyOf } from "../../functions/registerUser/retryPolicy";
import { RegistrationError } from "../../functions/shared/errors";
import { actionFor, traceOf, userOf } from "../../functions/shared/event";
import { parseSecret, SecretMalformed } from "../../functions/shared/secret";
import { triggerTimes } from "../../functions/shared/time";
import { invocation, recorded } from "./support";

describe("the retry policy of an error", () => {
  const error = (fields: object) => Object.assign(new Error("Client network socket disconnected"), fields);
  it.each<[unknown, RetryPolicy]>([
    [error({ code: "ER_LOCK_DEADLOCK" }), "repeat"],
    [error({ code: "ER_CON_COUNT_ERROR", fatal: true }), "reconnect"],
    [error({ code: "ER_OPTION_PREVENTS_STATEMENT" }), "reconnect"],
    [error({ code: "ER_MAX_PREPARED_STMT_COUNT_REACHED" }), "repeat"],
    [error({ code: "ER_HOST_IS_BLOCKED", fatal: true }), "reconnect"],
    [error({ code: "ER_CANT_CREATE_THREAD", fatal: true }), "reconnect"],
    [error({ code: "EMFILE", syscall: "connect" }), "reconnect"],
    [error({ code: "EAI_AGAIN", syscall: "getaddrinfo" }), "reconnect"],
    [error({ code: "ENOTFOUND", syscall: "getaddrinfo" }), "relocate"],
    [error({ code: "ECONNREFUSED", syscall: "connect" }), "relocate"],
    [error({ fatal: true }), "reconnect"],
    [error({ errno: 9501 }), "reconnect"],
    [error({ errno: 3, fatal: true }), "none"],
    [error({}), "none"],
    [error({ code: "ER_ACCESS_DENIED_ERROR" }), "readSecret"],
    [error({ code: "HANDSHAKE_SSL_ERROR" }), "distrust"],
    [error({ code: "HANDSHAKE_SSL_ERROR", errno: -104, syscall: "read" }), "reconnect"],
    [error({ code: "ER_NO_SUCH_TABLE" }), "none"],
    [error({ code: "constructor" }), "none"],
    ["a text", "none"],
  ])("%j: %s", (thrown, policy) => {
    expect(retryPolicyOf(thrown)).toBe(policy);
  });
});

describe("the users seen", () => {
  it("have a limited number, and the least recently seen one is removed first", () => {
    const seen = new RecentlySeen(2);
    seen.add("a");
    seen.add("b");
    expect(seen.has("a")).toBe(true);
    seen.add("c");
    expect(["a", "b", "c"].map((word) => seen.has(word))).toEqual([true, false, true]);
  });
});

describe("whatever comes in", () => {
  const anything = fc.oneof(fc.anything(), fc.string({ unit: "binary" }));
  const attributes = fc.record({ sub: anything, email: anything }, { requiredKeys: [] });
  const events = fc.record({ triggerSource: anything, request: fc.record({ userAttributes: attributes }) });

  it("as an event is either a user the table can hold, or a RegistrationError", () => {
    fc.assert(
      fc.property(fc.oneof(events, anything), (event) => {
        for (const parse of [actionFor, userOf]) {
          try {
            parse(event);
          } catch (error) {
            expect(error).toBeInstanceOf(RegistrationError);
          }
        }
        expect(JSON.stringify(traceOf(event))).toMatch(/^\{("triggerSource":"\w+")?,?("sub":"[\da-f-]{36}")?\}$/i);
      }),
    );
  });

  it("as an address of up to 100 characters is kept as it is, and refused when it is longer", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 }), (name) => {
        const email = `${name}@example.com`;
        const parse = () => userOf(recorded("signUp", { email })).email;
        if ([...email].length > 100) expect(parse).toThrow(/at most 100/);
        else expect(parse()).toBe(email);
      }),
    );
  });

  it.each(["a\n@b", "a@b\u0000", "\ud800@b", "@b", "a@", "nobody"])("as the address %j is refused", (email) => {
    expect(() => userOf(recorded("signUp", { email }))).toThrow(/not valid/);
  });

  it("as a secret is refused without a word of it in the error", () => {
    const word = "hunter2-hunter2";
    const secret = fc.oneof(
      fc.string({ unit: "binary" }).map((text) => text + word),
      fc.json().map((json) => `{"password":"${word}","more":${json}}`),
    );
    fc.assert(
      fc.property(secret, (text) => {
        try {
          parseSecret(text);
          expect.unreachable();
        } catch (error) {
          expect(error).toBeInstanceOf(SecretMalformed);
          const { message, cause } = error as SecretMalformed;
          expect(cause).toBeUndefined();
          expect(message).not.toContain(word);
        }
      }),
    );
  });
});

describe("the time of a trigger", () => {
  it.each([
    ["just started", 800, 4200],
    ["started ahead of any invocation", 60_000, 5000],
  ])("in a container %s: 5 s, less the start that Cognito has waited for", (_, uptime, expected) => {
    const time = triggerTimes(() => uptime);
    const [first, second] = [time(5000)(), time(5000)()];
    expect(first).toBeLessThanOrEqual(expected);
    expect(first).toBeGreaterThan(expected - 400);
    expect(second).toBeGreaterThan(4600);
  });
});

describe("an unexpected error", () => {
  it("is reported as UNEXPECTED, and its message is not logged", async () => {
    const lines: unknown[] = [];
    const broken = () => Promise.reject(new TypeError("of password hunter2"));
    const handler = handlerOf({
      users: { register: broken, catchUp: broken },
      log: (...line) => lines.push(line),
      uptime: () => 0,
    });
    await expect(handler(recorded("signUp"), invocation())).rejects.toMatchObject({ name: "Unexpected" });
    const signIn = recorded("postAuthentication");
    expect(await handler(signIn, invocation())).toBe(signIn);
    expect(JSON.stringify(lines)).not.toContain("hunter2");
    expect(lines).toMatchObject([
      ["error", { code: "UNEXPECTED", causes: [{ name: "TypeError" }] }],
      ["warn", { code: "UNEXPECTED" }],
    ]);
  });
});

describe("connecting ahead", () => {
  it("that fails does not matter until an invocation needs the connection", async () => {
    let readings = 0;
    const database = new Database(
      () => {
        readings++;
        return Promise.reject(new TypeError("no secret"));
      },
      () => Promise.reject(new Error("not reached")),
    );
    database.warm();
    await new Promise((resolve) => setImmediate(resolve));
    await expect(
      database.run(
        async () => 1,
        () => 1000,
      ),
    ).rejects.toMatchObject({ name: "Unexpected" });
    expect(readings).toBe(2);
  });
});
