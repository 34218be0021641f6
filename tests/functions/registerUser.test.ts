import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { rejectionOf } from "../support/failures";
import { container, freshUser, invocation, PASSWORD, recorded, SECRET_NAME, secretFor, useDatabase } from "./support";

const { database, secrets, log } = useDatabase({ clock: "slow" });
beforeEach(() => database.query("TRUNCATE ecommerce_db.users"));

describe("a confirmed sign-up", () => {
  it.each(["signUp", "adminConfirmation", "email100", "email100Emoji", "quotes", "emoji", "nonLatin"])(
    "%s: becomes one row, and the event is returned",
    async (name) => {
      const event = recorded(name);
      const { sub, email } = event.request.userAttributes;

      expect(await container(database.server)(event, invocation())).toBe(event);

      expect(event).toEqual(recorded(name));
      const rows = await database.query("SELECT * FROM ecommerce_db.users");
      expect(rows).toHaveLength(1);
      expect(rows[0]).toMatchObject({ User_UUID: sub, User_Email: email, User_Status: 1, User_FirstName: null });
      expect(log).toEqual([]);
    },
  );

  it("is dated by the server's UTC clock, whatever time zone the session has", async () => {
    await database.query("SET GLOBAL time_zone = '+09:00'");
    try {
      const event = freshUser();
      await container(database.server)(event, invocation());
      const [row] = await database.query(
        "SELECT ABS(TIMESTAMPDIFF(SECOND, User_DateAdd, UTC_TIMESTAMP())) AS seconds FROM ecommerce_db.users",
      );
      expect(row.seconds).toBeLessThan(60);
    } finally {
      await database.query("SET GLOBAL time_zone = SYSTEM");
    }
  });

  it("that is delivered again and again stays one row with its first date", async () => {
    const handler = container(database.server);
    const event = freshUser();
    await handler(event, invocation());
    await database.query("UPDATE ecommerce_db.users SET User_DateAdd = '2020-01-01', User_Status = 0");
    for (let i = 0; i < 5; i++) await handler(event, invocation());

    const rows = await database.rows(event);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ User_DateAdd: new Date(2020, 0, 1), User_Status: 0 });
    expect(log).toEqual([]);
  });

  it("delivered to many containers at once becomes one row, without a fault", async () => {
    const event = freshUser();
    const containers = Array.from({ length: 10 }, () => container(database.server));
    // All in one process here, so a busy machine needs longer for ten log-ins than the 5 s that each has for its own.
    await Promise.all(containers.map((handler) => handler(event, invocation(60_000))));

    expect(await database.rows(event)).toHaveLength(1);
    expect(log).toEqual([]);
  });

  it("with an address of another sub is refused, and the old row stays untouched", async () => {
    const handler = container(database.server);
    const first = freshUser();
    await handler(first, invocation());
    const before = await database.rows(first);
    const second = freshUser();
    second.request.userAttributes.email = first.request.userAttributes.email.toUpperCase();

    const fault = await rejectionOf(handler(second, invocation()));

    expect(fault).toMatchObject({ name: "EmailConflict", code: "EMAIL_CONFLICT" });
    expect(fault.message).not.toContain("@");
    expect(await database.rows(first)).toEqual(before);
    expect(await database.query("SELECT * FROM ecommerce_db.users")).toHaveLength(1);
    const { sub } = second.request.userAttributes;
    expect(log).toMatchObject([{ level: "error", code: "EMAIL_CONFLICT", triggerSource: second.triggerSource, sub }]);
  });

  it("of a sub that is registered with another address leaves the row as it is", async () => {
    const handler = container(database.server);
    const event = freshUser();
    await handler(event, invocation());
    const before = await database.rows(event);
    const changed = recorded("signUp", { ...event.request.userAttributes, email: `new-${randomUUID()}@example.com` });

    await handler(changed, invocation());

    expect(await database.rows(event)).toEqual(before);
    expect(await database.query("SELECT * FROM ecommerce_db.users")).toHaveLength(1);
  });

  it("that fails does not affect the next one", async () => {
    const handler = container(database.server);
    await rejectionOf(handler(recorded("missingEmail"), invocation()));
    await rejectionOf(handler(recorded("unknownTrigger"), invocation()));
    const event = freshUser();
    await handler(event, invocation());
    expect(await database.rows(event)).toHaveLength(1);
  });
});

describe("an event that cannot be served", () => {
  const cases: [string, unknown, string][] = [
    ["no e-mail", recorded("missingEmail"), "EMAIL_INVALID"],
    ["no sub", recorded("missingSub"), "SUB_INVALID"],
    ["101 characters", recorded("email101"), "EMAIL_INVALID"],
    ["another trigger", recorded("unknownTrigger"), "TRIGGER_UNKNOWN"],
    [
      "a trigger named after a property of objects",
      { ...recorded("signUp"), triggerSource: "constructor" },
      "TRIGGER_UNKNOWN",
    ],
    ["no attributes", { ...recorded("signUp"), request: {} }, "EVENT_MALFORMED"],
    ["nothing", null, "EVENT_MALFORMED"],
    ["a text", "PostConfirmation_ConfirmSignUp", "EVENT_MALFORMED"],
  ];
  it.each(cases)("%s: is refused with a code, and leaves no row", async (_, event, code) => {
    const fault = await rejectionOf(container(database.server)(event, invocation()));
    expect(fault.code).toBe(code);
    expect(fault.message).not.toMatch(/\.$/);
    expect(log).toMatchObject([{ level: "error", code }]);
    expect(await database.query("SELECT * FROM ecommerce_db.users")).toHaveLength(0);
  });

  it("cannot forge a line of the log", async () => {
    const forged = '\n{"level":"ERROR","message":{"code":"FORGED"}}\u2028\r\n';
    const event = recorded("signUp", { sub: forged, email: forged });
    await rejectionOf(container(database.server)({ ...event, userName: forged, triggerSource: forged }, invocation()));
    await rejectionOf(container(database.server)(event, invocation()));
    expect(log).toHaveLength(2);
    expect(JSON.stringify(log)).not.toContain("FORGED");
  });
});

describe("a password reset or sign-in", () => {
  it.each(["passwordReset", "postAuthentication"])("%s: makes a missing row, and logs it", async (name) => {
    const event = freshUser(name);
    expect(await container(database.server)(event, invocation())).toBe(event);
    expect(await database.rows(event)).toHaveLength(1);
    const { sub } = event.request.userAttributes;
    expect(log).toMatchObject([{ level: "info", code: "CAUGHT_UP", sub, triggerSource: event.triggerSource }]);
  });

  it.each(["passwordReset", "postAuthentication"])("%s: passes whatever is wrong with it", async (name) => {
    const handler = container(database.server);
    const owner = freshUser();
    await handler(owner, invocation());
    const { email } = owner.request.userAttributes;
    const wrong: [any, string][] = [
      [recorded(name, { email: "" }), "EMAIL_INVALID"],
      [recorded(name, { sub: "1" }), "SUB_INVALID"],
      [{ ...recorded(name), request: null }, "EVENT_MALFORMED"],
      [recorded(name, { sub: randomUUID(), email }), "EMAIL_CONFLICT"],
    ];
    for (const [event, code] of wrong) {
      log.length = 0;
      expect(await handler(event, invocation())).toBe(event);
      expect(log).toMatchObject([{ level: "warn", code }]);
    }
    expect(await database.query("SELECT * FROM ecommerce_db.users")).toHaveLength(1);
  });

  it("costs one statement for a user with a row, and none the second time", async () => {
    const event = freshUser("postAuthentication");
    const { sub, email } = event.request.userAttributes;
    await database.query("INSERT INTO ecommerce_db.users (User_UUID, User_Email, User_DateAdd) VALUES (?, ?, NOW())", [
      sub,
      email,
    ]);
    const handler = container(database.server);
    const other = freshUser("postAuthentication");
    await handler(other, invocation());

    const executed = () => database.count("Com_stmt_execute");
    const before = await executed();
    await handler(event, invocation());
    expect((await executed()) - before).toBe(1);
    for (let i = 0; i < 10; i++) await handler(event, invocation());
    expect((await executed()) - before).toBe(1);
  });

  it("costs nothing after a sign-up in the same container", async () => {
    const handler = container(database.server);
    const event = freshUser();
    await handler(event, invocation());
    const before = await database.count("Com_stmt_execute");
    await handler({ ...event, triggerSource: "PostAuthentication_Authentication" }, invocation());
    expect(await database.count("Com_stmt_execute")).toBe(before);
  });
});

describe("the warm path", () => {
  it("is one prepared statement on one connection, and reads the secret once", async () => {
    const handler = container(database.server);
    await handler(freshUser(), invocation());
    const [connections, executed, prepared] = [
      await database.connections(),
      await database.count("Com_stmt_execute"),
      await database.count("Com_stmt_prepare"),
    ];
    for (let i = 0; i < 20; i++) await handler(freshUser(), invocation());

    expect(await database.connections()).toEqual(connections);
    expect((await database.count("Com_stmt_execute")) - executed).toBe(20);
    expect(await database.count("Com_stmt_prepare")).toBe(prepared);
    expect(secrets.reads).toBe(1);
  });
});

describe("the secret", () => {
  it.each([undefined, ""])("SecretName %j: every invocation says so", async (SecretName) => {
    const handler = container(database.server, { SecretName });
    for (let i = 0; i < 2; i++) {
      const fault = await rejectionOf(handler(freshUser(), invocation()));
      expect(fault).toMatchObject({ name: "SecretNameMissing", code: "SECRET_NAME_MISSING" });
    }
    expect(log).toHaveLength(2);
    expect(log[0].detail).toContain("SecretName");
    expect(secrets.reads).toBe(0);
  });

  const broken: [string, string | { status: number; body: object } | undefined, string, RegExp][] = [
    ["missing", undefined, "SECRET_NOT_FOUND", /compare SecretName/],
    ["refused", { status: 400, body: { __type: "AccessDeniedException" } }, "SECRET_UNAVAILABLE", /GetSecretValue/],
    [
      "broken service",
      { status: 500, body: { __type: "InternalServiceError" } },
      "SECRET_UNAVAILABLE",
      /could not be read/,
    ],
    ["binary", { status: 200, body: { SecretBinary: "AAEC" } }, "SECRET_NOT_JSON", /binary/],
    ["not JSON", `password=${PASSWORD}`, "SECRET_NOT_JSON", /not JSON/],
    ["a list", "[]", "SECRET_NOT_JSON", /not an object/],
    ["empty", "{}", "SECRET_INCOMPLETE", /username.*password.*engine.*host.*dbClusterIdentifier.*port/],
  ];
  it.each(broken)(
    "%s: has its own error code, and the next invocation reads the secret again",
    async (_, secret, code, detail) => {
      secrets.secrets.delete(SECRET_NAME);
      if (secret !== undefined) secrets.secrets.set(SECRET_NAME, secret);
      const handler = container(database.server);

      const fault = await rejectionOf(handler(freshUser(), invocation()));
      expect(fault.code).toBe(code);
      expect(log).toMatchObject([{ level: "error", code, detail: expect.stringMatching(detail) }]);

      secrets.secrets.set(SECRET_NAME, secretFor(database.server));
      const event = freshUser();
      await handler(event, invocation());
      expect(await database.rows(event)).toHaveLength(1);
    },
  );

  it("with the port as a text is good, as Secrets Manager's console writes it", async () => {
    secrets.secrets.set(SECRET_NAME, secretFor(database.server, { port: String(database.server.port) }));
    const event = freshUser();
    await container(database.server)(event, invocation());
    expect(await database.rows(event)).toHaveLength(1);
  });

  it.each(["username", "password", "engine", "host", "port", "dbClusterIdentifier"])(
    "without %s is named",
    async (key) => {
      for (const value of [undefined, "", null, {}]) {
        secrets.secrets.set(SECRET_NAME, secretFor(database.server, { [key]: value }));
        log.length = 0;
        const fault = await rejectionOf(container(database.server)(freshUser(), invocation()));
        expect(fault.name).toBe("SecretIncomplete");
        expect(log[0].detail).toMatch(new RegExp(`wrong: ${key} must be`));
      }
    },
  );
});

describe("a stranger reading an error", () => {
  it("learns nothing of the system", async () => {
    secrets.secrets.set(SECRET_NAME, secretFor(database.server, { password: "wrong" }));
    const fault = await rejectionOf(container(database.server)(freshUser(), invocation()));
    expect(fault.code).toBe("DATABASE_ACCESS_DENIED");
    expect(fault.message).not.toMatch(/register_user|localhost|mysql|secret|password/i);
    // Lambda's runtime prints an error's enumerable properties.
    expect(Object.entries(fault)).toEqual([
      ["code", "DATABASE_ACCESS_DENIED"],
      ["logged", true],
    ]);
  });
});
