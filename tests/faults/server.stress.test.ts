/** Faults of MySQL itself, one after the other, because all tests use the same server. See docs/faults.md. */

import { execFileSync, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../functions/support";
import { type Container, Deployment, LIMIT, processOf } from "./support/Deployment";

/** Whether limits of a running process can be changed here: util-linux's prlimit, on Linux only. */
const limits = spawnSync("prlimit", ["--version"]).status === 0;

let deployment: Deployment;
let database: Database;
let container: Container;

beforeAll(async () => {
  // With this trap a file at its limit is an error for the server, as on a full disk, and does not end the server.
  deployment = await Deployment.start({ shell: "trap '' XFSZ" });
  database = deployment.database;
  // One container for all tests: so each test also shows what the previous fault has left behind.
  container = await deployment.deploy({ warm: true });
});
afterAll(() => deployment?.stop());

/** Breaks something, repairs it while a sign-up is waiting, and expects the row of that sign-up. */
async function repairedMeanwhile(
  breakIt: () => Promise<unknown>,
  repair: () => Promise<unknown>,
  after = 500,
): Promise<void> {
  await breakIt();
  let served: ReturnType<Container["signUp"]>;
  try {
    served = container.signUp();
    await sleep(after);
  } finally {
    await repair();
  }
  await container.registered(await served);
}

/**
 * Breaks something for longer: the sign-up fails in time, and a sign-in passes. After the repair both get their row.
 */
async function failsInTime(
  breakIt: () => Promise<unknown>,
  repair: () => Promise<unknown>,
  [fault, code]: [string, string] = ["DatabaseUnavailable", "DATABASE_UNAVAILABLE"],
): Promise<void> {
  await breakIt();
  let served: Awaited<ReturnType<Container["signUp"]>>;
  try {
    served = await container.signUp();
    await container.refused(served, fault, code);
    await container.signInPasses();
  } finally {
    await repair();
  }
  await container.works();
  await container.repairedBySignIn(served);
}

describe("a server that is away", () => {
  const stop = async () => {
    database.disconnect();
    await database.server.stop();
  };
  /**
   * A busy machine starts the server slowly, and a sign-up has a time limit. So the server is ready before the sign-up
   * begins, and the network path to it opens while the sign-up waits. For the function this is the same.
   */
  const restartBehind = (close: () => unknown) => async () => {
    await stop();
    await close();
    await database.server.start();
  };

  it("is waited for when it was shut down and starts again", () =>
    repairedMeanwhile(
      restartBehind(() => container.mysql.cut()),
      () => container.mysql.mend(),
    ));

  it("and hangs up before its greeting while it starts: is waited for", () =>
    repairedMeanwhile(
      restartBehind(() => {
        container.mysql.hangsUp = true;
      }),
      async () => {
        container.mysql.hangsUp = false;
      },
    ));

  it("for longer: the function fails in time", () => failsInTime(stop, () => database.server.start()));

  it("because it was killed in the middle of a statement: the statement is repeated, and makes one row", async () => {
    const blocker = await database.connect();
    await blocker.query("LOCK TABLES ecommerce_db.users READ");
    const signUp = container.signUp();
    await sleep(300);
    database.disconnect();
    const killed = performance.now();
    database.server.kill("SIGKILL");
    await database.server.start();
    const away = performance.now() - killed;
    blocker.destroy();
    const served = await signUp;
    if (served.fault === undefined) {
      await container.registered(served);
    } else {
      // On a busy machine the start took too much of the sign-up's time: then it must fail, and a sign-in makes the
      // row.
      expect(away).toBeGreaterThan(LIMIT - 3000);
      await container.refused(served, "DatabaseUnavailable", "DATABASE_UNAVAILABLE");
      await container.repairedBySignIn(served);
    }
  });

  it("because it is frozen: is waited for", () =>
    repairedMeanwhile(
      async () => database.server.kill("SIGSTOP"),
      async () => database.server.kill("SIGCONT"),
      2000, // longer than a statement may take
    ));

  it("because it stays frozen: the function fails in time", () =>
    failsInTime(
      async () => database.server.kill("SIGSTOP"),
      async () => database.server.kill("SIGCONT"),
    ));
});

describe("a server without a free connection", () => {
  // The only connection allowed is the administrator's. The container loses its own, so it needs another one.
  const exhaust = async () => {
    await database.query("SET GLOBAL max_connections = 1");
    for (const id of await database.connections()) await database.query(`KILL ${id}`);
  };
  const release = () => database.query("SET GLOBAL max_connections = 151");

  it("is asked again", () => repairedMeanwhile(exhaust, release));
  it("for longer: the function fails in time", () => failsInTime(exhaust, release));
});

describe("a server that is read-only, as after a fail-over", () => {
  const demote = () => database.query("SET GLOBAL super_read_only = 1");
  const promote = () => database.query("SET GLOBAL super_read_only = 0; SET GLOBAL read_only = 0");

  it("is left, and asked again: the function opens a new connection", async () => {
    const before = await database.connections();
    const kept = async () => (await database.connections()).filter((id) => before.includes(id));
    await demote();
    const served = container.signUp();
    try {
      // If the server were repaired earlier, the statement might succeed on the old connection.
      await expect.poll(kept, { timeout: LIMIT, interval: 20 }).toEqual([]);
    } finally {
      await promote();
    }
    await container.registered(await served);
  });
  it("for longer: the function fails in time", () => failsInTime(demote, promote));
});

it("a container frozen until the server closed its idle connection opens a new one when it continues", async () => {
  const title = `frozen-${process.pid}`;
  const others = await database.connections();
  const frozen = await deployment.deploy({
    warm: true,
    idleSeconds: 3,
    variables: { NODE_OPTIONS: `--title=${title}` },
  });
  const pid = processOf(title);
  process.kill(pid, "SIGSTOP");
  try {
    const kept = async () => (await database.connections()).filter((id) => !others.includes(id));
    await expect.poll(kept, { timeout: 20_000, interval: 100 }).toEqual([]);
  } finally {
    process.kill(pid, "SIGCONT");
  }
  await frozen.works();
  expect(frozen.mysql.opened).toBe(2);
});

describe("a table that is locked", () => {
  let blocker: Awaited<ReturnType<Database["connect"]>>;
  const lock = async () => {
    blocker = await database.connect();
    await blocker.query("LOCK TABLES ecommerce_db.users WRITE");
  };
  const unlock = () => blocker.end();

  it("is waited for", () => repairedMeanwhile(lock, unlock, 1500));

  it("for longer: the function fails in time, and a statement that was given up soon stops waiting", () =>
    failsInTime(lock, async () => {
      // The table is still locked. A statement that was given up waits on the server for its lock time-out of one
      // second.
      try {
        await expect.poll(statementsWaiting, { timeout: 20_000, interval: 100 }).toBe(0);
      } finally {
        await unlock();
      }
    }));
  const statementsWaiting = async () => {
    const { length } = await database.query(
      `SELECT 1 FROM information_schema.processlist WHERE user = '${database.user}' AND state LIKE 'Waiting%'`,
    );
    return length;
  };

  it("by a change of its columns that itself waits for a reader: is waited for", async () => {
    const [reader, alter] = [await database.connect(), await database.connect()];
    let altered: Promise<unknown> | undefined;
    await repairedMeanwhile(
      async () => {
        await reader.query("START TRANSACTION; SELECT COUNT(*) FROM ecommerce_db.users");
        altered = alter.query("ALTER TABLE ecommerce_db.users ADD COLUMN soon INT NULL");
        await sleep(100);
      },
      () => reader.end(),
      1500, // longer than the server lets a statement wait for a lock
    );
    await altered;
    await alter.query("ALTER TABLE ecommerce_db.users DROP COLUMN soon");
    await alter.end();
  });
});

/**
 * Only root can make a small disk to fill. A limit on the size of the server's files needs no root, and InnoDB gets the
 * same error: the system refuses to extend the table's file.
 */
it.skipIf(!limits)("a file that cannot grow fails the sign-up at once, until there is room (by prlimit)", async () => {
  const limit = (bytes: number | "unlimited") =>
    execFileSync("prlimit", ["--pid", String(database.server.pid), `--fsize=${bytes}:`]);
  // The table's file grows beyond the limit; every other file of the server stays below it.
  await database.query("ALTER TABLE ecommerce_db.users AUTOEXTEND_SIZE = 64M");
  let [day, refused] = [0, 0];
  const insert =
    "INSERT INTO ecommerce_db.users (User_UUID, User_Email, User_DateAdd) VALUES (?, ?, '1970-01-01' + INTERVAL ? DAY)";
  /**
   * Adds a row that is later than all before. So once the last page of the date's index is full, no further row fits,
   * even if other pages have room.
   */
  const addRow = () =>
    database.query(insert, [randomUUID(), randomUUID(), day++]).then(
      () => (refused = 0),
      ({ code }) => {
        expect(code).toBe("ER_RECORD_FILE_FULL");
        refused++;
      },
    );
  await failsInTime(async () => {
    limit(48 * 2 ** 20);
    while (refused < 200) await addRow();
  }, async () => {
    limit("unlimited");
    await database.query("DELETE FROM ecommerce_db.users WHERE User_Email NOT LIKE '%@%'");
  }, ["DatabaseRefused", "DATABASE_REFUSED"]);
});
