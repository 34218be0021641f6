/** What breaks in MySQL itself, one fault after the other, since all meet the same server. See docs/faults.md. */

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
  // A file at its limit is an error then, as on a full disk, and not the server's end.
  deployment = await Deployment.start({ shell: "trap '' XFSZ" });
  database = deployment.database;
  // One for all: so each fault also shows what the one before has left behind.
  container = await deployment.deploy({ warm: true });
});
afterAll(() => deployment?.stop());

/** Breaks it, mends it while a sign-up is waiting, and expects that sign-up to have its row. */
async function mended(breakIt: () => Promise<unknown>, mend: () => Promise<unknown>, after = 500): Promise<void> {
  await breakIt();
  let served: ReturnType<Container["signUp"]>;
  try {
    served = container.signUp();
    await sleep(after);
  } finally {
    await mend();
  }
  await container.registered(await served);
}

/** Breaks it and leaves it so: the sign-up is refused in time, a sign-in passes; mended, both get their row. */
async function lasting(
  breakIt: () => Promise<unknown>,
  mend: () => Promise<unknown>,
  [fault, code]: [string, string] = ["DatabaseUnavailable", "DATABASE_UNAVAILABLE"],
): Promise<void> {
  await breakIt();
  let served: Awaited<ReturnType<Container["signUp"]>>;
  try {
    served = await container.signUp();
    await container.refused(served, fault, code);
    await container.lets();
  } finally {
    await mend();
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
   * A start takes as long as the machine is busy, and a sign-up does not wait longer than its time. So the server is
   * ready before the sign-up begins, and the way to it opens while the sign-up waits: what the function sees is the same.
   */
  const restartBehind = (close: () => unknown) => async () => {
    await stop();
    await close();
    await database.server.start();
  };

  it("is waited for when it was shut down and starts again", () =>
    mended(
      restartBehind(() => container.mysql.cut()),
      () => container.mysql.mend(),
    ));

  it("and hangs up before its greeting while it starts, is waited for", () =>
    mended(
      restartBehind(() => {
        container.mysql.hangsUp = true;
      }),
      async () => {
        container.mysql.hangsUp = false;
      },
    ));

  it("for longer is a fault in time", () => lasting(stop, () => database.server.start()));

  it("because it was killed in the middle of a statement, is asked again, and the row is there once", async () => {
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
      // A busy machine left too little of a sign-up's time after the start: it has to be refused, and repaired later.
      expect(away).toBeGreaterThan(LIMIT - 3000);
      await container.refused(served, "DatabaseUnavailable", "DATABASE_UNAVAILABLE");
      await container.repairedBySignIn(served);
    }
  });

  it("because it is frozen, is waited for", () =>
    mended(
      async () => database.server.kill("SIGSTOP"),
      async () => database.server.kill("SIGCONT"),
      2000, // longer than a statement may take
    ));

  it("because it stays frozen, is a fault in time", () =>
    lasting(
      async () => database.server.kill("SIGSTOP"),
      async () => database.server.kill("SIGCONT"),
    ));
});

describe("a server without a free connection", () => {
  // The administrator's connection is the one allowed. The container loses its own, so that it needs another.
  const exhaust = async () => {
    await database.query("SET GLOBAL max_connections = 1");
    for (const id of await database.connections()) await database.query(`KILL ${id}`);
  };
  const release = () => database.query("SET GLOBAL max_connections = 151");

  it("is asked again", () => mended(exhaust, release));
  it("for longer is a fault in time", () => lasting(exhaust, release));
});

describe("a server that is read-only, as after a fail-over", () => {
  const demote = () => database.query("SET GLOBAL super_read_only = 1");
  const promote = () => database.query("SET GLOBAL super_read_only = 0; SET GLOBAL read_only = 0");

  it("is left, and asked again on a new connection", async () => {
    const before = await database.connections();
    const kept = async () => (await database.connections()).filter((id) => before.includes(id));
    await demote();
    const served = container.signUp();
    try {
      // Mended earlier, its statement might find nothing wrong.
      await expect.poll(kept, { timeout: LIMIT, interval: 20 }).toEqual([]);
    } finally {
      await promote();
    }
    await container.registered(await served);
  });
  it("for longer is a fault in time", () => lasting(demote, promote));
});

it("a container frozen until the server has closed its connection for idleness, replaces it when it thaws", async () => {
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

  it("is waited for", () => mended(lock, unlock, 1500));

  it("for longer is a fault in time, and no statement goes on waiting after it was given up", () =>
    lasting(lock, async () => {
      // Still locked. What was given up keeps its place on the server for the second that it asked to wait at most.
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

  it("by a change of its columns that itself waits for a reader, is waited for", async () => {
    const [reader, alter] = [await database.connect(), await database.connect()];
    let altered: Promise<unknown> | undefined;
    await mended(
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
 * A disk of one's own to fill takes an administrator. A limit on the size of the server's files does not, and InnoDB
 * meets the same in both: the system refuses the room by which it would make the table's file grow.
 */
it.skipIf(!limits)("a file that cannot grow is a fault at once, and none once there is room (by prlimit)", async () => {
  const limit = (bytes: number | "unlimited") =>
    execFileSync("prlimit", ["--pid", String(database.server.pid), `--fsize=${bytes}:`]);
  // The table grows by more than the limit, which every other file of the server is below.
  await database.query("ALTER TABLE ecommerce_db.users AUTOEXTEND_SIZE = 64M");
  let [day, refused] = [0, 0];
  const insert =
    "INSERT INTO ecommerce_db.users (User_UUID, User_Email, User_DateAdd) VALUES (?, ?, '1970-01-01' + INTERVAL ? DAY)";
  /** Each later than all before: once the last page of that index is full, no row fits any more, wherever else is room. */
  const addRow = () =>
    database.query(insert, [randomUUID(), randomUUID(), day++]).then(
      () => (refused = 0),
      ({ code }) => {
        expect(code).toBe("ER_RECORD_FILE_FULL");
        refused++;
      },
    );
  await lasting(async () => {
    limit(48 * 2 ** 20);
    while (refused < 200) await addRow();
  }, async () => {
    limit("unlimited");
    await database.query("DELETE FROM ecommerce_db.users WHERE User_Email NOT LIKE '%@%'");
  }, ["DatabaseRefused", "DATABASE_REFUSED"]);
});
