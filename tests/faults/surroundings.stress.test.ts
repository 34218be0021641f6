/**
 * Faults around the function: of its network, its secret, its container. Each test has its own function, secret and two
 * wires, so the tests run concurrently; they share a MySQL server that always works. See docs/faults.md.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PASSWORD, recorded } from "../functions/support";
import { type Container, Deployment, LIMIT, type Options } from "./support/Deployment";

let deployment: Deployment;
const folder = mkdtempSync(path.join(tmpdir(), "faults-"));

beforeAll(async () => {
  deployment = await Deployment.start();
});
afterAll(async () => {
  await deployment?.stop();
  rmSync(folder, { recursive: true });
});

const unavailable = ["DatabaseUnavailable", "DATABASE_UNAVAILABLE"] as const;
const noSecret = ["SecretUnavailable", "SECRET_UNAVAILABLE"] as const;

const deploy = (options?: Options): Promise<Container> => deployment.deploy(options);

describe.concurrent("the network to MySQL", () => {
  it("cut while the connection is idle: the function opens a new connection", async () => {
    const container = await deploy({ warm: true });
    container.mysql.reset();
    await container.works();
    expect(container.mysql.opened).toBe(2);
  });

  it("cut in the middle of a statement: the connection is lost, and the sign-up succeeds", async () => {
    const container = await deploy({ warm: true });
    container.mysql.delay = 300;
    const served = container.signUp();
    await sleep(450);
    // The statement has arrived, and its answer is under way.
    container.mysql.delay = 0;
    container.mysql.reset();
    await container.registered(await served);
  });

  it("cut for good: the function fails in time; after the repair a sign-in makes the row", async () => {
    const container = await deploy({ warm: true });
    await container.mysql.cut();
    const served = await container.refused(await container.signUp(), ...unavailable);
    await container.signInPasses();
    await container.mysql.mend();
    await container.repairedBySignIn(served);
  });

  it("that forgot the idle connection without an error: the connection is lost, and the sign-up succeeds", async () => {
    const container = await deploy({ warm: true });
    container.mysql.silent = true;
    const served = container.signUp();
    await expect.poll(() => container.mysql.lost, { timeout: LIMIT, interval: 10 }).toBeGreaterThan(0);
    container.mysql.silent = false;
    await container.registered(await served);
    expect(container.mysql.opened).toBe(2);
  });

  it("silent for good: the function fails in time, and a sign-in succeeds", async () => {
    const container = await deploy({ warm: true });
    container.mysql.silent = true;
    const served = await container.refused(await container.signUp(), ...unavailable);
    // Not the TIMED_OUT of the last attempt, which says less.
    expect(await container.lastCause()).toBe("ETIMEDOUT");
    await container.signInPasses();
    container.mysql.silent = false;
    await container.works();
    await container.repairedBySignIn(served);
  });

  it("whole again after a silence: a sign-in makes the row, at the latest a moment later", async () => {
    const container = await deploy({ warm: true });
    container.mysql.silent = true;
    const served = await container.refused(await container.signUp(), ...unavailable);
    container.mysql.silent = false;
    // A sign-in waits for a connection that was begun in the silence, and may pass without its row until the function
    // gives that connection up.
    const repaired = performance.now();
    while ((await deployment.database.rows(served.event)).length === 0) {
      expect(performance.now() - repaired).toBeLessThan(4 * LIMIT);
      await container.signsIn(served);
    }
    await container.repairedBySignIn(served);
  });

  it("reset in the middle of the TLS handshake: the function connects again, and reports no forgery", async () => {
    const container = await deploy({ warm: true });
    // The client's request for TLS has 36 bytes; the handshake's first message follows.
    container.mysql.resetsAfter = 36;
    container.mysql.reset();
    const served = container.signUp();
    await expect.poll(() => container.mysql.opened, { timeout: LIMIT }).toBeGreaterThan(2);
    container.mysql.resetsAfter = Number.POSITIVE_INFINITY;
    await container.registered(await served);
  });

  it("silent when a container starts for the sign-up: the function fails while Cognito still waits", async () => {
    const NODE_OPTIONS = `--require=${path.join(__dirname, "support/slowStart.cjs")}`;
    const container = await deploy({ cold: true, variables: { NODE_OPTIONS } });
    container.mysql.silent = true;
    const served = await container.refused(await container.signUp(), ...unavailable);
    // Lambda counts the function's 5 s from when the container is ready, a second after Cognito begins to wait. If the
    // function used all of them except the 0.3 s for its answer, this would take 5.7 s. A busy machine adds some time.
    expect(served.took).toBeLessThan(LIMIT + 400);
  });

  it("slow by a fifth of a second there and back: sign-ups succeed, also on a new connection", async () => {
    const container = await deploy({ network: { delay: 100 } });
    await container.works();
    await container.works();
    // On a busy machine the function may have given up a first connection.
    expect(container.mysql.opened).toBeLessThanOrEqual(2);
  });

  it("slow beyond use: the function fails in time, and a sign-in succeeds", async () => {
    const container = await deploy({ warm: true });
    container.mysql.delay = 3000;
    const served = await container.refused(await container.signUp(), ...unavailable);
    await container.signInPasses();
    container.mysql.delay = 0;
    await container.works();
    await container.repairedBySignIn(served);
  });

  it("as narrow as 8 kB a second: a sign-up succeeds", async () => {
    const container = await deploy({ network: { bytesPerSecond: 8000 } });
    await container.works();
  });
});

describe.concurrent("the secret", () => {
  it("missing: the function fails at once, and works as soon as the secret exists", async () => {
    const container = await deploy({ secret: "missing" });
    const served = await container.refused(await container.signUp(), "SecretNotFound", "SECRET_NOT_FOUND");
    await container.signInPasses();
    await container.setSecret({});
    await container.repairedBySignIn(served);
  });

  it("malformed in any way: the function fails at once with the error's code, and works once it is right", async () => {
    const container = await deploy({ secret: `not JSON ${PASSWORD}` });
    const cases: [Record<string, unknown> | string | Uint8Array, string, string][] = [
      [`not JSON ${PASSWORD}`, "SecretNotJson", "SECRET_NOT_JSON"],
      [`["${PASSWORD.length}"]`, "SecretNotJson", "SECRET_NOT_JSON"],
      [Buffer.from([0, 1, 255]), "SecretNotJson", "SECRET_NOT_JSON"],
      [{ password: undefined }, "SecretIncomplete", "SECRET_INCOMPLETE"],
      [{ port: "3306; DROP TABLE users" }, "SecretIncomplete", "SECRET_INCOMPLETE"],
      [{ engine: "postgres" }, "SecretIncomplete", "SECRET_INCOMPLETE"],
      [{ password: "wrong" }, "DatabaseAccessDenied", "DATABASE_ACCESS_DENIED"],
    ];
    for (const [secret, fault, code] of cases) {
      await container.setSecret(secret);
      const served = await container.refused(await container.signUp(), fault, code);
      // Attempts until the time is up would take 4.7 s.
      expect(served.took, code).toBeLessThan(3500);
    }
    await container.setSecret({});
    await container.works();
  });

  it("with an address without a server: the function fails in time; the next invocation reads it again", async () => {
    const container = await deploy({ secret: { port: 1 } });
    await container.refused(await container.signUp(), ...unavailable);
    await container.setSecret({});
    await container.works();
  });

  it("naming another port, because the database has moved: the same invocation reads it again", async () => {
    const container = await deploy({ warm: true });
    const openedBefore = container.endpoint.opened;
    await container.setSecret({ port: deployment.database.server.port });
    await container.mysql.cut();
    await container.works();
    expect(container.endpoint.opened - openedBefore).toBeLessThanOrEqual(1);
  });

  it("rotated while a connection is kept: is read once more when the connection is lost", async () => {
    const user = `rotated_${Date.now()}`;
    const { database } = deployment;
    await database.query(`CREATE USER '${user}'@'%' IDENTIFIED BY 'first' REQUIRE SSL`);
    await database.query(`GRANT SELECT, INSERT ON ecommerce_db.users TO '${user}'@'%'`);
    const container = await deploy({ secret: { username: user, password: "first" }, warm: true });
    const openedBefore = container.endpoint.opened;
    await database.query(`ALTER USER '${user}'@'%' IDENTIFIED BY 'second'`);

    // The secret still has the old password, and the connection still works.
    await container.works();
    container.mysql.reset();
    await container.refused(await container.signUp(), "DatabaseAccessDenied", "DATABASE_ACCESS_DENIED");
    await container.setSecret({ username: user, password: "second" });
    await container.works();
    expect(container.endpoint.opened - openedBefore).toBeLessThanOrEqual(2);

    // Within one invocation: MySQL refuses the known password, and accepts the one that is then read.
    await database.query(`ALTER USER '${user}'@'%' IDENTIFIED BY 'third'`);
    await container.setSecret({ username: user, password: "third" });
    container.mysql.reset();
    await container.works();
  });
});

describe.concurrent("the secret's endpoint", () => {
  it("slow, is waited for: the sign-up succeeds", async () => {
    const container = await deploy({ secret: "missing" });
    await container.setSecret({});
    container.endpoint.delay = 350;
    await container.works();
  });

  it("slow beyond use, or silent: the function fails in time, a sign-in succeeds, the next one retries", async () => {
    const container = await deploy({ secret: "missing" });
    await container.setSecret({});
    container.endpoint.delay = 3000;
    const served = await container.refused(await container.signUp(), ...noSecret);
    await container.signInPasses();
    expect(await container.lastCode()).toBe("SECRET_UNAVAILABLE");
    container.endpoint.delay = 0;
    container.endpoint.silent = true;
    await container.refused(await container.signUp(), ...noSecret);
    container.endpoint.silent = false;
    container.endpoint.reset();
    await container.works();
    await container.repairedBySignIn(served);
  });

  it("whole again while a reading from before hangs: a new sign-up succeeds", async () => {
    const container = await deploy({ secret: "missing" });
    await container.setSecret({});
    const openedBefore = container.endpoint.opened;
    container.endpoint.silent = true;
    await container.signInPasses();
    // The sign-in ends after a second; its reading of the secret goes on until its last attempt ends, 2.5 s after its
    // start.
    for (const end = Date.now() + 1400; Date.now() < end && container.endpoint.opened < openedBefore + 3; )
      await sleep(20);
    container.endpoint.silent = false;
    await container.works();
  });

  it("refusing: the function fails; reset once: the same invocation retries and succeeds", async () => {
    const container = await deploy({ secret: "missing" });
    await container.setSecret({});
    await container.endpoint.cut();
    await container.refused(await container.signUp(), ...noSecret);
    await container.endpoint.mend();
    container.endpoint.delay = 200;
    const served = container.signUp();
    await sleep(150);
    container.endpoint.reset();
    await container.registered(await served);
  });

  it("gone: a container that has read the secret still works", async () => {
    const container = await deploy({ warm: true });
    await container.endpoint.cut();
    container.mysql.reset();
    await container.works();
  });
});

describe.concurrent("the container", () => {
  it.each([
    ["a day ahead", 86_400_000],
    ["a day behind", -86_400_000],
    ["three seconds ahead", 3000],
    ["a minute behind", -60_000],
  ])("with a clock %s: reads its secret, dates rows by the server's clock, and fails in time", async (when, shift) => {
    const file = path.join(folder, `wrong-${shift}`);
    const preload = path.join(__dirname, "support/shiftedClock.cjs");
    const NODE_OPTIONS = `--require=${preload}`;
    const variables = { NODE_OPTIONS, CLOCK_SHIFT: String(shift), CLOCK_FILE: file };
    const container = await deploy({ secret: "missing", variables });
    await container.setSecret({});
    expect(existsSync(file), when).toBe(false);
    writeFileSync(file, "");

    const { event } = await container.works();
    const { sub } = event.request.userAttributes;
    const dated = "SELECT ABS(TIMESTAMPDIFF(SECOND, User_DateAdd, UTC_TIMESTAMP())) AS seconds FROM ecommerce_db.users";
    const [{ seconds }] = await deployment.database.query(`${dated} WHERE User_UUID = ?`, [sub]);
    expect(seconds).toBeLessThan(30);

    container.mysql.silent = true;
    const served = await container.refused(await container.signUp(), ...unavailable);
    container.mysql.silent = false;
    await container.works();
    await container.repairedBySignIn(served);
  });

  it("without SecretName: each sign-up fails with that error, and sign-ins succeed", async () => {
    const container = await deploy({ variables: { SecretName: "" } });
    for (const event of [recorded("signUp"), recorded("adminConfirmation")]) {
      await container.refused(await container.invoke(event), "SecretNameMissing", "SECRET_NAME_MISSING");
    }
    await container.signInPasses();
  });
});
