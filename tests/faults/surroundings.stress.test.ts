/**
 * What breaks around the function: its network, its secret, its container. Each test has a function, a secret and two
 * wires of its own, so they run side by side; the MySQL that all share stays whole. See docs/faults.md.
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
  it("cut while the connection is idle, is noticed, and the connection replaced", async () => {
    const container = await deploy({ warm: true });
    container.mysql.reset();
    await container.works();
    expect(container.mysql.opened).toBe(2);
  });

  it("cut in the middle of a statement, costs the connection and not the sign-up", async () => {
    const container = await deploy({ warm: true });
    container.mysql.delay = 300;
    const served = container.signUp();
    await sleep(450);
    // The statement has arrived, and its answer is under way.
    container.mysql.delay = 0;
    container.mysql.reset();
    await container.registered(await served);
  });

  it("cut for good, is a fault in time; mended, a sign-in makes the row", async () => {
    const container = await deploy({ warm: true });
    await container.mysql.cut();
    const served = await container.refused(await container.signUp(), ...unavailable);
    await container.lets();
    await container.mysql.mend();
    await container.repairedBySignIn(served);
  });

  it("that forgot the idle connection without a word, costs the connection and not the sign-up", async () => {
    const container = await deploy({ warm: true });
    container.mysql.silent = true;
    const served = container.signUp();
    await expect.poll(() => container.mysql.lost, { timeout: LIMIT, interval: 10 }).toBeGreaterThan(0);
    container.mysql.silent = false;
    await container.registered(await served);
    expect(container.mysql.opened).toBe(2);
  });

  it("silent for good, is a fault in time, and lets a sign-in pass", async () => {
    const container = await deploy({ warm: true });
    container.mysql.silent = true;
    const served = await container.refused(await container.signUp(), ...unavailable);
    // And not the TIMED_OUT of the last attempt, which says less.
    expect(await container.lastCause()).toBe("ETIMEDOUT");
    await container.lets();
    container.mysql.silent = false;
    await container.works();
    await container.repairedBySignIn(served);
  });

  it("whole again after a silence, has the row of whoever signs in from a moment later on", async () => {
    const container = await deploy({ warm: true });
    container.mysql.silent = true;
    const served = await container.refused(await container.signUp(), ...unavailable);
    container.mysql.silent = false;
    // A connection that was begun in the silence is waited for until it is given up: a sign-in may pass without its row.
    const mended = performance.now();
    while ((await deployment.database.rows(served.event)).length === 0) {
      expect(performance.now() - mended).toBeLessThan(4 * LIMIT);
      await container.signsIn(served);
    }
    await container.repairedBySignIn(served);
  });

  it("reset in the middle of the TLS handshake, is asked again, and not taken for a forged server", async () => {
    const container = await deploy({ warm: true });
    // Its request for TLS has 36 bytes; what comes next is the handshake's first message.
    container.mysql.resetsAfter = 36;
    container.mysql.reset();
    const served = container.signUp();
    await expect.poll(() => container.mysql.opened, { timeout: LIMIT }).toBeGreaterThan(2);
    container.mysql.resetsAfter = Number.POSITIVE_INFINITY;
    await container.registered(await served);
  });

  it("silent when a container starts for the sign-up, is a fault in the time that Cognito waits", async () => {
    const NODE_OPTIONS = `--require=${path.join(__dirname, "support/slowStart.cjs")}`;
    const container = await deploy({ cold: true, variables: { NODE_OPTIONS } });
    container.mysql.silent = true;
    const served = await container.refused(await container.signUp(), ...unavailable);
    // Lambda gives the function its 5 s from when the container is ready, a second later than Cognito begins to wait: with
    // all of them, but for the 0.3 s for its answer, this would be over after 5.7 s. A busy machine takes some for itself.
    expect(served.took).toBeLessThan(LIMIT + 400);
  });

  it("slow by a fifth of a second there and back, is slow and no fault, also for a new connection", async () => {
    const container = await deploy({ network: { delay: 100 } });
    await container.works();
    await container.works();
    // A busy machine may have given a first connection up.
    expect(container.mysql.opened).toBeLessThanOrEqual(2);
  });

  it("slow beyond use, is a fault in time, and lets a sign-in pass", async () => {
    const container = await deploy({ warm: true });
    container.mysql.delay = 3000;
    const served = await container.refused(await container.signUp(), ...unavailable);
    await container.lets();
    container.mysql.delay = 0;
    await container.works();
    await container.repairedBySignIn(served);
  });

  it("as narrow as 8 kB a second, is no fault", async () => {
    const container = await deploy({ network: { bytesPerSecond: 8000 } });
    await container.works();
  });
});

describe.concurrent("the secret", () => {
  it("missing, is a fault at once, and none as soon as it is there", async () => {
    const container = await deploy({ secret: "missing" });
    const served = await container.refused(await container.signUp(), "SecretNotFound", "SECRET_NOT_FOUND");
    await container.lets();
    await container.setSecret({});
    await container.repairedBySignIn(served);
  });

  it("malformed in whatever way, is a fault at once that names the field and no value; none once it is right", async () => {
    const container = await deploy({ secret: `not JSON ${PASSWORD}` });
    const faults: [Record<string, unknown> | string | Uint8Array, string, string][] = [
      [`not JSON ${PASSWORD}`, "SecretNotJson", "SECRET_NOT_JSON"],
      [`["${PASSWORD.length}"]`, "SecretNotJson", "SECRET_NOT_JSON"],
      [Buffer.from([0, 1, 255]), "SecretNotJson", "SECRET_NOT_JSON"],
      [{ password: undefined }, "SecretIncomplete", "SECRET_INCOMPLETE"],
      [{ port: "3306; DROP TABLE users" }, "SecretIncomplete", "SECRET_INCOMPLETE"],
      [{ engine: "postgres" }, "SecretIncomplete", "SECRET_INCOMPLETE"],
      [{ password: "wrong" }, "DatabaseAccessDenied", "DATABASE_ACCESS_DENIED"],
    ];
    for (const [secret, fault, code] of faults) {
      await container.setSecret(secret);
      const served = await container.refused(await container.signUp(), fault, code);
      // What is tried until the time is up takes 4.7 s.
      expect(served.took, code).toBeLessThan(3500);
    }
    await container.setSecret({});
    await container.works();
  });

  it("with an address where nobody answers, is a fault in time, and is read again by the next invocation", async () => {
    const container = await deploy({ secret: { port: 1 } });
    await container.refused(await container.signUp(), ...unavailable);
    await container.setSecret({});
    await container.works();
  });

  it("naming another port, because the database has moved, costs no sign-up: it is read again in the same invocation", async () => {
    const container = await deploy({ warm: true });
    const asked = container.endpoint.opened;
    await container.setSecret({ port: deployment.database.server.port });
    await container.mysql.cut();
    await container.works();
    expect(container.endpoint.opened - asked).toBeLessThanOrEqual(1);
  });

  it("rotated while a connection is kept, is read once more when the connection is lost", async () => {
    const user = `rotated_${Date.now()}`;
    const { database } = deployment;
    await database.query(`CREATE USER '${user}'@'%' IDENTIFIED BY 'first' REQUIRE SSL`);
    await database.query(`GRANT SELECT, INSERT ON ecommerce_db.users TO '${user}'@'%'`);
    const container = await deploy({ secret: { username: user, password: "first" }, warm: true });
    const asked = container.endpoint.opened;
    await database.query(`ALTER USER '${user}'@'%' IDENTIFIED BY 'second'`);

    // The old password is in the secret still, and the connection still good.
    await container.works();
    container.mysql.reset();
    await container.refused(await container.signUp(), "DatabaseAccessDenied", "DATABASE_ACCESS_DENIED");
    await container.setSecret({ username: user, password: "second" });
    await container.works();
    expect(container.endpoint.opened - asked).toBeLessThanOrEqual(2);

    // In the middle of an invocation: the password it has is refused, and the one it reads then is right.
    await database.query(`ALTER USER '${user}'@'%' IDENTIFIED BY 'third'`);
    await container.setSecret({ username: user, password: "third" });
    container.mysql.reset();
    await container.works();
  });
});

describe.concurrent("the secret's endpoint", () => {
  it("slow, is waited for", async () => {
    const container = await deploy({ secret: "missing" });
    await container.setSecret({});
    container.endpoint.delay = 350;
    await container.works();
  });

  it("slow beyond use, or silent, is a fault in time, lets a sign-in pass, and is asked again by the next", async () => {
    const container = await deploy({ secret: "missing" });
    await container.setSecret({});
    container.endpoint.delay = 3000;
    const served = await container.refused(await container.signUp(), ...noSecret);
    await container.lets();
    expect(await container.lastCode()).toBe("SECRET_UNAVAILABLE");
    container.endpoint.delay = 0;
    container.endpoint.silent = true;
    await container.refused(await container.signUp(), ...noSecret);
    container.endpoint.silent = false;
    container.endpoint.reset();
    await container.works();
    await container.repairedBySignIn(served);
  });

  it("whole again while a reading from before hangs, serves who signs up then", async () => {
    const container = await deploy({ secret: "missing" });
    await container.setSecret({});
    const asked = container.endpoint.opened;
    container.endpoint.silent = true;
    await container.lets();
    // The sign-in is over after a second; its reading goes on until its last attempt is given up, 2.5 s after its begin.
    for (const end = Date.now() + 1400; Date.now() < end && container.endpoint.opened < asked + 3; ) await sleep(20);
    container.endpoint.silent = false;
    await container.works();
  });

  it("refusing, is a fault; reset once, it is asked again in the same invocation", async () => {
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

  it("gone, does not matter to a container that has read the secret", async () => {
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
  ])("with a clock %s, reads its secret, serves, dates by the server, and gives up in time", async (when, shift) => {
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

  it("without SecretName, says so at each invocation, and lets sign-ins pass", async () => {
    const container = await deploy({ variables: { SecretName: "" } });
    for (const event of [recorded("signUp"), recorded("adminConfirmation")]) {
      await container.refused(await container.invoke(event), "SecretNameMissing", "SECRET_NAME_MISSING");
    }
    await container.lets();
  });
});
