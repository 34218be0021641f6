/** What breaks in MySQL itself, one fault after the other, since all meet the same server. See docs/faults.md. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../functions/support";
import { type Container, Deployment, processOf } from "./support/Deployment";

let deployment: Deployment;
let database: Database;
let container: Container;

beforeAll(async () => {
  deployment = await Deployment.start();
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

  // The server has to be up within the invocation's time, which a busy machine does not always manage.
  const busy = { retry: 2 };

  it("is waited for when it was shut down and starts again", busy, () => mended(stop, () => database.server.start()));

  it("for longer is a fault in time", () => lasting(stop, () => database.server.start()));

  it(
    "because it was killed in the middle of a statement, is asked again, and the row is there once",
    busy,
    async () => {
      const blocker = await database.connect();
      await blocker.query("LOCK TABLES ecommerce_db.users READ");
      const served = container.signUp();
      await sleep(300);
      database.disconnect();
      database.server.kill("SIGKILL");
      await database.server.start();
      blocker.destroy();
      await container.registered(await served);
    },
  );

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
    await mended(demote, promote);
    for (const id of await database.connections()) expect(before).not.toContain(id);
  });
  it("for longer is a fault in time", () => lasting(demote, promote));
});

it("a container frozen until the server has closed its connection for idleness, replaces it when it thaws", async () => {
  await database.query("SET GLOBAL wait_timeout = 1");
  const title = `frozen-${process.pid}`;
  const frozen = await deployment.deploy({ warm: true, variables: { NODE_OPTIONS: `--title=${title}` } });
  const pid = processOf(title);
  process.kill(pid, "SIGSTOP");
  try {
    const [kept] = (await database.connections()).slice(-1);
    for (const end = Date.now() + 10_000; (await database.connections()).includes(kept!); await sleep(100)) {
      expect(Date.now()).toBeLessThan(end);
    }
  } finally {
    process.kill(pid, "SIGCONT");
    await database.query("SET GLOBAL wait_timeout = 28800");
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

  it("for longer is a fault in time, and leaves no statement waiting on the server", () =>
    lasting(async () => {
      await lock();
      setTimeout(async () => {
        const { length } = await database.query(
          `SELECT 1 FROM information_schema.processlist WHERE user = '${database.user}' AND state LIKE 'Waiting%'`,
        );
        waiting.push(length);
      }, 4000).unref();
    }, unlock));
  const waiting: number[] = [];
  it("has had one statement of the container waiting at most", () => {
    expect(waiting).toHaveLength(1);
    expect(waiting[0]).toBeLessThanOrEqual(1);
  });

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
 * MySQL's own "The table 'users' is full" (1114), without filling a disk, which needs a file system of one's own: a
 * table in memory has a size that may be set, and the server answers as InnoDB does when a file cannot grow.
 */
it("a table that is full is a fault at once, and none once there is room again", async () => {
  const fill = `INSERT INTO ecommerce_db.users (User_UUID, User_Email, User_DateAdd)
    SELECT UUID(), UUID(), NOW() FROM ecommerce_db.users LIMIT 1`;
  await lasting(
    async () => {
      await database.query("SET SESSION max_heap_table_size = 16384");
      await database.query("ALTER TABLE ecommerce_db.users ENGINE = MEMORY");
      const full = (async () => {
        for (;;) await database.query(fill);
      })();
      await expect(full).rejects.toMatchObject({ code: "ER_RECORD_FILE_FULL" });
    },
    () => database.query("ALTER TABLE ecommerce_db.users ENGINE = InnoDB"),
    ["DatabaseRefused", "DATABASE_REFUSED"],
  );
});
