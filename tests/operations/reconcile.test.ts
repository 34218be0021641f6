/** `npm run reconcile` as an operator runs it, on a real user pool, secret and database. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { PASSWORD_PART, secretFor } from "../functions/support";
import { System } from "./support";

let system: System;

beforeAll(async () => {
  system = await System.start();
});
afterAll(() => system.stop());
beforeEach(() => system.empty());

const insert = (sub: string, email: string) =>
  system.database.query("INSERT INTO ecommerce_db.users (User_UUID, User_Email, User_DateAdd) VALUES (?, ?, NOW())", [
    sub,
    email,
  ]);
const subsOf = (rows: any[]) => rows.map((row) => row.User_UUID);

describe("a pool with accounts of every kind", () => {
  const email = (name: string) => `${name}@example.com`;

  /** Creates 2,000 accounts. @returns those that should have a row afterwards, and those that cannot */
  async function mixed() {
    const { present, missing } = await system.accounts(1_880, 2);
    for (const status of ["RESET_REQUIRED", "EXTERNAL_PROVIDER"]) missing.push(system.account({ status }));
    missing.push(system.account({ enabled: false }), system.account({ email: 'o\'brien,"x"@example.com' }));
    for (let i = 0; i < 50; i++) system.account({ status: "UNCONFIRMED" });
    for (let i = 0; i < 50; i++) system.account({ status: "FORCE_CHANGE_PASSWORD" });

    const [deleted, moved] = [randomUUID(), system.account({ email: email("new") })];
    await insert(deleted, email("taken"));
    await insert(moved, email("old"));
    present.push(moved);
    const owner = system.account({ email: email("rené") });
    await insert(owner, email("rené"));
    present.push(owner);
    const conflicts = {
      ofDeleted: system.account({ email: email("taken") }),
      ofMoved: system.account({ email: email("old") }),
      ofAccent: system.account({ email: email("rene") }),
    };
    const unusable = [system.account({ email: `${"x".repeat(100)}@example.com` }), system.account({ email: "" })];
    // A changed address does not matter where the row exists.
    const late = system.account({ email: "" });
    await insert(late, email("late"));
    present.push(late);
    for (let i = system.users.size; i < 2_000; i++) system.account({ status: "UNCONFIRMED" });
    return { present, missing, conflicts, unusable, deleted, moved, owner };
  }

  test("gets its missing rows, and conflicts are listed; a dry run reports the same and changes nothing", async () => {
    const { present, missing, conflicts, unusable, deleted, moved, owner } = await mixed();
    const before = await system.rows();
    const counts = {
      type: "summary",
      end: "finished",
      accounts: 2_000,
      unconfirmed: 2_000 - present.length - missing.length - 5,
      conflicts: 3,
      unusable: 2,
      seconds: expect.any(Number),
    };
    const expected = [
      {
        sub: conflicts.ofDeleted,
        email: "t…@example.com",
        owner: { sub: deleted, email: "t…@example.com", account: "deleted" },
      },
      {
        sub: conflicts.ofMoved,
        email: "o…@example.com",
        owner: { sub: moved, email: "o…@example.com", account: "otherAddress" },
      },
      {
        sub: conflicts.ofAccent,
        email: "r…@example.com",
        owner: { sub: owner, email: "r…@example.com", account: "sameAddress" },
      },
    ];

    const dry = system.reconcile("--json", "--dry-run");
    expect([await dry.ended(), dry.stderr]).toEqual([2, expect.stringContaining("changing nothing")]);
    expect(await system.rows()).toEqual(before);

    const real = system.reconcile("--json");
    expect(await real.ended()).toBe(2);
    for (const run of [dry, real]) {
      const todo = { registered: missing.length, present: present.length, dryRun: run === dry };
      expect(run.summary).toEqual({ ...counts, ...todo });
      const of = (type: string) => run.lines.filter((line) => line.type === type);
      expect(of("conflict")).toEqual(expected.map((conflict) => ({ type: "conflict", ...conflict })));
      expect(of("unusable").map(({ username, code }) => [username, code])).toEqual(
        unusable.map((sub) => [sub, "EMAIL_INVALID"]),
      );
      expect(of("registered").map(({ sub }) => sub)).toEqual(missing);
      expect(run.stdout + run.stderr).not.toContain(PASSWORD_PART);
      expect(run.stdout).not.toMatch(/(taken|old|ren[eé])@/);
    }

    const rows = await system.rows();
    expect(subsOf(rows)).toEqual([...present, ...missing, deleted].sort());
    // Existing rows are unchanged.
    expect(rows.filter((row) => !missing.includes(row.User_UUID))).toEqual(before);
    const made = rows.find((row) => row.User_UUID === missing.at(-1));
    expect(made).toMatchObject({ User_Email: 'o\'brien,"x"@example.com', User_Status: 1 });

    const again = system.reconcile();
    expect(await again.ended()).toBe(2);
    expect(await system.rows()).toEqual(rows);
    expect(again.stdout).toMatch(/had a row\s+1,88\d\n\s+registered\s+0\n/);
    expect(again.stdout).toContain(`conflict: ${conflicts.ofDeleted} has no row, since the address t…@example.com`);
    expect(again.stdout).toContain(`is in the row of ${deleted}, whose account is deleted`);
    expect(again.stdout).toContain(`unusable: account ${unusable[0]} has no row: The attribute email is 112 char`);
  });
});

describe("npm run reconcile", () => {
  test("ends with code 0 where nothing is left to decide, also for an empty pool", async () => {
    const empty = system.reconcile("--json");
    expect([await empty.ended(), empty.summary.accounts]).toEqual([0, 0]);
    const { missing } = await system.accounts(61, 61);
    const run = system.reconcile("--json", "--local");
    expect([await run.ended(), run.summary.registered, run.summary.present]).toEqual([0, missing.length, 1]);
    const [row] = await system.database.query(
      "SELECT TIMESTAMPDIFF(SECOND, MAX(User_DateAdd), UTC_TIMESTAMP()) AS age FROM ecommerce_db.users",
    );
    expect(Math.abs(row.age)).toBeLessThan(30);
  });

  test("can be killed, stopped by Ctrl-C, and repeated", async () => {
    const { present, missing } = await system.accounts(600, 2);
    system.front.delay = 50;
    const killed = system.reconcile("--json");
    await killed.prints("registered");
    killed.process.kill("SIGKILL");
    expect(await killed.ended()).toBe("SIGKILL");
    const after = (await system.rows()).length;
    expect(after).toBeGreaterThan(present.length);
    expect(after).toBeLessThan(600);

    const stopped = system.reconcile("--json");
    await stopped.prints("registered");
    stopped.process.kill("SIGINT");
    expect([await stopped.ended(), stopped.summary.end]).toEqual([130, "stopped"]);
    const rows = await system.rows();
    expect(rows.length).toBe(after + stopped.summary.registered);
    expect(rows.length).toBeLessThan(600);

    system.front.delay = 0;
    const last = system.reconcile("--json");
    expect([await last.ended(), last.summary.registered]).toEqual([0, 600 - rows.length]);
    expect(subsOf(await system.rows())).toEqual([...present, ...missing].sort());
  });

  test("waits for MySQL during a restart", async () => {
    const { present, missing } = await system.accounts(600, 2);
    system.front.delay = 20;
    const run = system.reconcile("--json");
    await run.prints("registered");
    await system.database.server.stop();
    system.database.disconnect();
    await system.database.server.start();
    expect([await run.ended(), run.summary]).toMatchObject([0, { end: "finished", registered: missing.length }]);
    expect(subsOf(await system.rows())).toEqual([...present, ...missing].sort());
  });

  test("repeats requests that Cognito throttles", async () => {
    const { missing } = await system.accounts(300, 2);
    system.front.throttled = [2, 3];
    const run = system.reconcile("--json");
    expect([await run.ended(), run.summary]).toMatchObject([0, { accounts: 300, registered: missing.length }]);
    expect(system.front.requests).toBe(300 / 60 + 2);
  });

  test.each([[[]], [["--dry-run"]]])("fails where the listing ends too early, with %j", async (more) => {
    await system.accounts(300, 100);
    // Without the check, the empty second page would look like the last one, and 240 accounts would be left out.
    system.front.emptied = [2];
    const run = system.reconcile("--json", ...more);
    expect([await run.ended(), run.summary]).toMatchObject([1, { end: "failed", error: "ListingBroken" }]);
    expect(run.stderr).toContain("not all accounts were seen");
  });

  test("and sign-ups at the same time create each row once, in any order", async () => {
    const { missing } = await system.accounts(300, 300);
    system.front.delay = 20;
    const run = system.reconcile("--json");
    await run.prints("registered");
    // As the function does, from the end of the list.
    for (const sub of [...missing].reverse().slice(0, 150)) {
      await system.database.query(
        "INSERT IGNORE INTO ecommerce_db.users (User_UUID, User_Email, User_DateAdd) VALUES (?, ?, NOW())",
        [sub, `${sub}@example.com`],
      );
    }
    // One account is deleted.
    system.users.delete(system.users.find(missing[120]!)!);
    expect(await run.ended()).toBe(0);
    const { registered, present } = run.summary;
    expect(registered + present).toBeGreaterThanOrEqual(299);
    const rows = await system.rows();
    expect(new Set(subsOf(rows)).size).toBe(rows.length);
    expect(subsOf(rows)).toEqual(expect.arrayContaining(missing.filter((_, i) => i !== 120)));
  });
});

test("a wrong password in the secret ends it at once with code 1, and is not printed", async () => {
  await system.setSecret(secretFor(system.database.server, { password: "wrong-password" }));
  try {
    const run = system.reconcile("--json");
    expect([await run.ended(), run.summary]).toMatchObject([1, { end: "failed", error: "DATABASE_ACCESS_DENIED" }]);
    expect(run.stdout + run.stderr).not.toContain("wrong-password");
  } finally {
    await system.setSecret(secretFor(system.database.server));
  }
});
