/** Faults between the function and MySQL, and how the function handles them within its time. */
import dns from "node:dns";
import { copyFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createServer as createMySqlServer } from "mysql2";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createConnect } from "../../functions/shared/connection";
import { parseSecret } from "../../functions/shared/secret";
import { Wire } from "../faults/support/Wire";
import { rejectionOf } from "../support/failures";
import { container, freshUser, inTime, invocation, PASSWORD, SECRET_NAME, secretFor, useDatabase } from "./support";

/** More than the times of two new connections may differ, and less than the time limit of a statement (1.5 s). */
const NOTICED_MILLISECONDS = 1000;
/** Retries until the time is up leave 300 ms of the 5 s; an error without retries leaves most of them. */
const NOT_TRIED_AGAIN = 1000;

const { database, secrets, log } = useDatabase({ clock: "real" });

/** A container that has served an invocation, so that it keeps a connection. */
async function warmContainer(environment: Record<string, string | undefined> = {}) {
  const handler = container(database.server, environment);
  await handler(freshUser(), invocation());
  return handler;
}

/** Serves one sign-up. @returns how long that took (ms) */
async function serve(handler: ReturnType<typeof container>, event = freshUser()): Promise<number> {
  const begun = performance.now();
  await handler(event, invocation());
  const took = performance.now() - begun;
  expect(await database.rows(event)).toHaveLength(1);
  return took;
}

it("keeps the row where the server leaves commits to its clients", async () => {
  await database.query("SET GLOBAL autocommit = 0");
  try {
    // The row is read by another connection, which sees committed rows only.
    await serve(container(database.server));
  } finally {
    await database.query("SET GLOBAL autocommit = 1");
  }
});

it("lets the server end a connection that was idle for five minutes", async () => {
  const { caFile, ...server } = database.server;
  const secret = parseSecret(secretFor(server));
  const connection = await createConnect({ NODE_EXTRA_CA_CERTS: caFile })(secret, 5000);
  const rows = await connection.execute("SELECT @@SESSION.wait_timeout AS seconds", [], () => 5000);
  connection.destroy();
  expect(rows).toEqual([{ seconds: 300 }]);
});

describe("a connection that is lost", () => {
  it("while idle is replaced in the same invocation", async () => {
    const handler = await warmContainer();
    for (const id of await database.connections()) await database.query(`KILL ${id}`);
    // There is no pause: the process has not yet seen the end of the connection when the function is called. The
    // function must notice it at once, not by a statement's time limit.
    const fresh = await serve(container(database.server));
    expect(await serve(handler)).toBeLessThan(fresh + NOTICED_MILLISECONDS);
    expect(log).toEqual([]);
  });

  it("while idle is also replaced if the process has already noticed it", async () => {
    const handler = await warmContainer();
    for (const id of await database.connections()) await database.query(`KILL ${id}`);
    await sleep(50);
    const fresh = await serve(container(database.server));
    expect(await serve(handler)).toBeLessThan(fresh + NOTICED_MILLISECONDS);
  });

  it("without an error at either end is given up and replaced in time", async () => {
    const wire = await Wire.to(database.server.port);
    secrets.secrets.set(SECRET_NAME, secretFor({ host: "localhost", port: wire.port }));
    try {
      const handler = await warmContainer();
      wire.silent = true;
      const event = freshUser();
      const served = handler(event, invocation());
      await expect.poll(() => wire.lost, { interval: 10 }).toBeGreaterThan(0);
      wire.silent = false;
      await served;
      expect(await database.rows(event)).toHaveLength(1);
    } finally {
      await wire.cut();
    }
  });

  it("in the middle of a statement is replaced, and the statement repeated", async () => {
    const handler = await warmContainer();
    const blocker = await database.connect();
    await blocker.query("LOCK TABLES ecommerce_db.users READ");
    const event = freshUser();
    const served = handler(event, invocation());
    await sleep(200);
    for (const id of await database.connections()) await database.query(`KILL ${id}`);
    await blocker.query("UNLOCK TABLES");
    await blocker.end();
    await served;
    expect(await database.rows(event)).toHaveLength(1);
  });
});

describe("a server that is away", () => {
  it("is waited for while it starts again", async () => {
    // A busy machine starts the server slowly: so the server is ready before the sign-up begins, and the port is
    // closed.
    const network = await Wire.to(database.server.port);
    secrets.secrets.set(SECRET_NAME, secretFor({ host: "localhost", port: network.port }));
    try {
      const handler = await warmContainer();
      database.disconnect();
      await database.server.stop();
      await network.cut();
      await database.server.start();
      const event = freshUser();
      const served = handler(event, invocation());
      await sleep(300);
      await network.mend();
      await served;
      expect(await database.rows(event)).toHaveLength(1);
    } finally {
      await network.cut();
    }
  });

  it("makes the function fail before Lambda's time is up, and the next invocation succeeds", async () => {
    const handler = await warmContainer();
    database.disconnect();
    await database.server.stop();
    const fault = await inTime(1500, rejectionOf(handler(freshUser(), invocation(1500))));
    expect(fault).toMatchObject({ name: "DatabaseUnavailable", code: "DATABASE_UNAVAILABLE" });
    expect(log).toMatchObject([{ level: "error", code: "DATABASE_UNAVAILABLE", causes: [{ code: "ECONNREFUSED" }] }]);
    await database.server.start();
    await serve(handler);
  });

  it("frozen, makes a sign-up fail in time, and a sign-in succeeds within a second", async () => {
    const handler = await warmContainer();
    const cold = container(database.server);
    database.server.kill("SIGSTOP");
    try {
      const signIn = freshUser("postAuthentication");
      const fault = inTime(5000, rejectionOf(handler(freshUser(), invocation())));
      // A connection may take 1.5 s.
      expect(await inTime(1500, cold(signIn, invocation()))).toBe(signIn);
      expect(await fault).toMatchObject({ code: "DATABASE_UNAVAILABLE" });
      expect(log.map(({ level }) => level)).toEqual(["warn", "error"]);
    } finally {
      database.server.kill("SIGCONT");
    }
    await serve(handler);
  });

  it("without a name in the DNS is asked again until the time is up", async () => {
    // A part of a name has at most 63 letters; the resolver checks this without a request, so also on an offline
    // machine.
    secrets.secrets.set(SECRET_NAME, secretFor({ host: `${"x".repeat(64)}.example`, port: 3306 }));
    const fault = await inTime(1500, rejectionOf(container(database.server)(freshUser(), invocation(1500))));
    expect(fault).toMatchObject({ code: "DATABASE_UNAVAILABLE" });
    expect(log).toMatchObject([{ causes: [{ code: "ENOTFOUND" }] }]);
  });
});

describe("a host name", () => {
  /** Two different names for `removeNames`; the certificate is for localhost, in capital or small letters. */
  const [oldHost, newHost] = ["LOCALHOST", "localhost"];

  /** From now on the resolver does not find these names. @returns the number of lookups of these names */
  function removeNames(...names: string[]): { lookups: number; restore(): void } {
    const lookup = dns.lookup as (...values: any[]) => unknown;
    const removed = { lookups: 0, restore: () => spy.mockRestore() };
    const spy = vi.spyOn(dns, "lookup").mockImplementation(((name: string, ...rest: any[]) => {
      if (!names.includes(name)) return lookup(name, ...rest);
      removed.lookups++;
      const error = Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), {
        code: "ENOTFOUND",
        syscall: "getaddrinfo",
        hostname: name,
      });
      process.nextTick(rest.at(-1), error);
    }) as any);
    return removed;
  }

  it("that is missing from the DNS for a moment, is asked for again", async () => {
    const names = removeNames(newHost);
    const served = serve(container(database.server));
    await sleep(300);
    names.restore();
    await served;
    expect(names.lookups).toBeGreaterThan(1);
    // The secret was read for this invocation, so it is not read once more.
    expect(secrets.reads).toBe(1);
  });

  it("that is gone while the secret names another one: each container reads the secret once more", async () => {
    secrets.secrets.set(SECRET_NAME, secretFor({ host: oldHost, port: database.server.port }));
    const warm = await Promise.all(Array.from({ length: 3 }, () => warmContainer()));
    secrets.secrets.set(SECRET_NAME, secretFor({ host: newHost, port: database.server.port }));
    const names = removeNames(oldHost);
    for (const id of await database.connections()) await database.query(`KILL ${id}`);
    secrets.reads = 0;
    await Promise.all(warm.map((handler) => serve(handler)));
    expect(names.lookups).toBeGreaterThanOrEqual(warm.length);
    expect(secrets.reads).toBe(warm.length);
    expect(log).toEqual([]);
  });

  it("that leads to a port where nothing listens: the sign-up succeeds if the secret names another one", async () => {
    const wire = await Wire.to(database.server.port);
    secrets.secrets.set(SECRET_NAME, secretFor({ host: newHost, port: wire.port }));
    const handler = await warmContainer();
    secrets.secrets.set(SECRET_NAME, secretFor(database.server));
    await wire.cut();
    await serve(handler);
    expect(secrets.reads).toBe(2);
  });

  it("that is gone for good, has the secret read once more in an invocation", async () => {
    secrets.secrets.set(SECRET_NAME, secretFor({ host: oldHost, port: database.server.port }));
    const handler = await warmContainer();
    removeNames(oldHost);
    for (const id of await database.connections()) await database.query(`KILL ${id}`);
    for (const reads of [2, 3, 4]) {
      expect(await rejectionOf(handler(freshUser(), invocation(1500)))).toMatchObject({ code: "DATABASE_UNAVAILABLE" });
      expect(secrets.reads).toBe(reads);
    }
  });

  it("that is missing for a moment while the secret cannot be read, is asked for again", async () => {
    const handler = await warmContainer();
    for (const unreadable of ["silence", { status: 400, body: { __type: "AccessDeniedException" } }] as const) {
      secrets.secrets.set(SECRET_NAME, unreadable);
      const names = removeNames(newHost);
      for (const id of await database.connections()) await database.query(`KILL ${id}`);
      const served = serve(handler);
      await sleep(300);
      names.restore();
      await served;
    }
  });
});

describe("a server that cannot just now", () => {
  it("because it has too many connections, is asked again", async () => {
    // The only connection allowed is the warm container's; the administrator may connect beyond the limit.
    await warmContainer();
    try {
      await database.query("SET GLOBAL max_connections = 1");
      const event = freshUser();
      const served = container(database.server)(event, invocation());
      await sleep(300);
      expect(await database.rows(event)).toHaveLength(0);
      await database.query("SET GLOBAL max_connections = 151");
      await served;
      expect(await database.rows(event)).toHaveLength(1);
    } finally {
      await database.query("SET GLOBAL max_connections = 151");
    }
  });

  it("because it is read-only after a fail-over, is left and asked again", async () => {
    const handler = await warmContainer();
    const kept = (await database.connections()).at(-1);
    await database.query("SET GLOBAL super_read_only = 1");
    const event = freshUser();
    const served = handler(event, invocation());
    try {
      // If the server were repaired earlier, the statement might succeed on the old connection.
      await expect.poll(() => database.connections(), { timeout: 5000, interval: 20 }).not.toContain(kept);
    } finally {
      await database.query("SET GLOBAL super_read_only = 0; SET GLOBAL read_only = 0");
    }
    await served;
    expect(await database.rows(event)).toHaveLength(1);
  });

  it("because another client holds the row's lock, is asked again after a second of waiting", async () => {
    const handler = await warmContainer();
    const blocker = await database.connect();
    const event = freshUser();
    const { sub, email } = event.request.userAttributes;
    await blocker.query("START TRANSACTION");
    await blocker.query("INSERT INTO ecommerce_db.users VALUES (?, ?, NULL, NULL, 1, NOW(), NULL)", [sub, email]);
    const connections = await database.connections();
    const served = handler(event, invocation());
    await sleep(1800);
    // The server itself ended the wait: the connection is still the same one.
    expect(await database.connections()).toEqual(connections);
    await blocker.query("ROLLBACK");
    await blocker.end();
    await served;
    expect(await database.rows(event)).toHaveLength(1);
  });

  it("because other clients have used up its prepared statements, is asked again on the same connection", async () => {
    const others = await database.connections();
    const own = async () => (await database.connections()).filter((id) => !others.includes(id));
    const [{ prepared }] = await database.query("SELECT @@max_prepared_stmt_count AS prepared");
    await database.query("SET GLOBAL max_prepared_stmt_count = 0");
    try {
      const event = freshUser();
      const served = container(database.server)(event, invocation());
      await expect.poll(own, { interval: 20 }).toHaveLength(1);
      const connections = await own();
      await sleep(800);
      expect(await database.rows(event)).toHaveLength(0);
      await database.query(`SET GLOBAL max_prepared_stmt_count = ${prepared}`);
      await served;
      expect(await database.rows(event)).toHaveLength(1);
      expect(await own()).toEqual(connections);
    } finally {
      await database.query(`SET GLOBAL max_prepared_stmt_count = ${prepared}`);
    }
  });

  it("because a privilege is missing, fails the sign-up at once with MySQL's own code", async () => {
    await database.query("CREATE USER IF NOT EXISTS nobody@'%' IDENTIFIED BY ?", [PASSWORD]);
    secrets.secrets.set(SECRET_NAME, secretFor(database.server, { username: "nobody" }));
    const time = invocation();
    expect((await rejectionOf(container(database.server)(freshUser(), time))).code).toBe("DATABASE_REFUSED");
    expect(time.getRemainingTimeInMillis()).toBeGreaterThan(NOT_TRIED_AGAIN);
    expect(log).toMatchObject([{ causes: [{ code: "ER_TABLEACCESS_DENIED_ERROR" }] }]);
  });
});

describe("a rotated password", () => {
  afterEach(() => database.query(`ALTER USER '${database.user}'@'%' IDENTIFIED BY ?`, [PASSWORD]));

  it("is read once more, within the invocation that needs it", async () => {
    const handler = await warmContainer();
    await database.query(`ALTER USER '${database.user}'@'%' IDENTIFIED BY 'rotated'`);
    secrets.secrets.set(SECRET_NAME, secretFor(database.server, { password: "rotated" }));
    for (const id of await database.connections()) await database.query(`KILL ${id}`);
    await serve(handler);
    expect(secrets.reads).toBe(2);
  });

  it("that the secret has a moment later, as just after a rotation, is waited for", async () => {
    await database.query(`ALTER USER '${database.user}'@'%' IDENTIFIED BY 'rotated'`);
    const served = serve(container(database.server));
    await sleep(350);
    secrets.secrets.set(SECRET_NAME, secretFor(database.server, { password: "rotated" }));
    await served;
  });

  it("that the secret does not have yet fails the sign-up after three more readings, and not the next", async () => {
    await database.query(`ALTER USER '${database.user}'@'%' IDENTIFIED BY 'rotated'`);
    const handler = container(database.server);
    const time = invocation();
    expect((await rejectionOf(handler(freshUser(), time))).code).toBe("DATABASE_ACCESS_DENIED");
    expect(time.getRemainingTimeInMillis()).toBeGreaterThan(NOT_TRIED_AGAIN);
    expect(secrets.reads).toBe(4);
    secrets.secrets.set(SECRET_NAME, secretFor(database.server, { password: "rotated" }));
    await serve(handler);
  });
});

describe("a secret endpoint", () => {
  it("that does not answer makes the function fail in time, and the next invocation succeeds", async () => {
    secrets.secrets.delete(SECRET_NAME);
    const handler = container(database.server);
    // The reading at load has failed by then, so that the invocation waits for one reading, not for two.
    await sleep(200);
    secrets.secrets.set(SECRET_NAME, "silence");
    const time = invocation();
    expect((await rejectionOf(handler(freshUser(), time))).code).toBe("SECRET_UNAVAILABLE");
    expect(time.getRemainingTimeInMillis()).toBeGreaterThan(NOT_TRIED_AGAIN);
    secrets.secrets.set(SECRET_NAME, secretFor(database.server));
    await serve(handler);
  });

  it("that was asked at load only and failed then, is asked again by the invocation", async () => {
    secrets.secrets.delete(SECRET_NAME);
    const handler = container(database.server);
    await sleep(200);
    secrets.secrets.set(SECRET_NAME, secretFor(database.server));
    await serve(handler);
  });
});

describe("a server that cannot be verified", () => {
  const refused = async (handler: ReturnType<typeof container>): Promise<void> => {
    const time = invocation();
    const fault = await rejectionOf(handler(freshUser(), time));
    expect(fault).toMatchObject({ name: "DatabaseUntrusted", code: "DATABASE_UNTRUSTED" });
    expect(time.getRemainingTimeInMillis()).toBeGreaterThan(NOT_TRIED_AGAIN);
  };

  it("by its host name, is refused", async () => {
    // A short way to write 0.0.0.0, which leads to this machine, too: its certificate is for localhost and 127.0.0.1.
    // Written in full, the driver would check it as localhost.
    secrets.secrets.set(SECRET_NAME, secretFor({ host: "0.0", port: database.server.port }));
    await refused(container(database.server));
  });

  it("by an authority, is refused: RDS's authorities alone did not sign its certificate", async () => {
    await refused(container(database.server, { NODE_EXTRA_CA_CERTS: undefined }));
  });

  it("because it supports no TLS, is refused before any data is sent to it", async () => {
    let received = 0;
    const plain: any = createMySqlServer((connection: any) => {
      const [everything, tls] = [0xffffff, 0x800];
      connection.serverHandshake({
        protocolVersion: 10,
        serverVersion: "8.4.0",
        connectionId: 1,
        statusFlags: 2,
        characterSet: 8,
        capabilityFlags: everything & ~tls,
      });
      connection.stream.on("data", (chunk: Buffer) => (received += chunk.length));
      connection.on("error", () => {});
    });
    await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
    const { port } = plain._server.address() as AddressInfo;
    secrets.secrets.set(SECRET_NAME, secretFor({ host: "localhost", port }));
    await refused(container(database.server));
    expect(received).toBe(0);
    plain._server.close();
  });

  it("because the file of its authority cannot be read, fails each invocation without a crash", async () => {
    const file = path.join(path.dirname(database.server.caFile), "later.pem");
    const handler = container(database.server, { NODE_EXTRA_CA_CERTS: file });
    expect(await rejectionOf(handler(freshUser(), invocation()))).toMatchObject({ code: "AUTHORITIES_UNREADABLE" });
    expect(log).toMatchObject([{ causes: [{ code: "ENOENT" }] }]);
    copyFileSync(database.server.caFile, file);
    await serve(handler);
  });
});
