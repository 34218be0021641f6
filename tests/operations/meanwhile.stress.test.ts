/** Changes of the rows between the command's reading and its writing, made at exactly that moment. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Database } from "../../functions/registerUser/database";
import { createConnect } from "../../functions/shared/connection";
import { parseSecret } from "../../functions/shared/secret";
import { Accounts, isConfirmed } from "../../operations/reconcile/cognitoAccounts";
import { type Finding, newTally, type Options, reconcile } from "../../operations/reconcile/reconcile";
import { Rows } from "../../operations/reconcile/rows";
import { secretFor } from "../functions/support";
import { System } from "./support";

let system: System;
let database: Database;
let rows: Rows;

beforeAll(async () => {
  system = await System.start();
  const connect = createConnect({ NODE_EXTRA_CA_CERTS: system.database.server.caFile });
  database = new Database(async () => parseSecret(secretFor(system.database.server)), connect);
  rows = new Rows(database, 30_000, new AbortController().signal);
});
afterAll(async () => {
  database.close();
  await system.stop();
});
beforeEach(() => system.empty());

const insert = (sub: string, email: string) =>
  system.database.query("INSERT INTO ecommerce_db.users (User_UUID, User_Email, User_DateAdd) VALUES (?, ?, NOW())", [
    sub,
    email,
  ]);

/** Reconcile has already registered the user: the function gets this error, too. */
const isDuplicate = (error: { code?: string }) => expect(error.code).toBe("ER_DUP_ENTRY");

async function run(changes: Partial<Options["rows"]> = {}, dryRun = false) {
  const tally = newTally();
  const findings: Finding[] = [];
  await reconcile({
    accounts: new Accounts(system.cognito.sdk, system.cognito.poolId),
    rows: {
      registered: (subs) => rows.registered(subs),
      ownerOf: (email) => rows.ownerOf(email),
      register: (user) => rows.register(user),
      foresee: (user) => rows.foresee(user),
      ...changes,
    },
    dryRun,
    tally,
    signal: new AbortController().signal,
    found: (finding) => findings.push(finding),
  });
  return { tally, findings };
}

test.each([false, true])("a row that is added in the meantime counts as present; dry run: %s", async (dryRun) => {
  const sub = system.account();
  const registered = async (subs: readonly string[]) => {
    const before = await rows.registered(subs);
    await insert(sub, `${sub}@example.com`);
    return before;
  };
  const { tally, findings } = await run({ registered }, dryRun);
  expect([tally, findings]).toEqual([{ ...newTally(), accounts: 1, present: 1 }, []]);
});

test("a conflict whose other row is deleted in the meantime has no owner", async () => {
  const sub = system.account();
  await insert(randomUUID(), `${sub}@example.com`);
  const ownerOf = async (email: string) => {
    await system.database.query("DELETE FROM ecommerce_db.users");
    return rows.ownerOf(email);
  };
  const { tally, findings } = await run({ ownerOf });
  expect(tally).toEqual({ ...newTally(), accounts: 1, conflicts: 1 });
  expect(findings).toEqual([{ type: "conflict", user: { sub, email: `${sub}@example.com` }, owner: undefined }]);
});

test("an account without a usable sub is listed, and does not stop the others", async () => {
  system.account({ sub: "not-a-uuid" });
  const sub = system.account();
  const { tally, findings } = await run();
  expect(tally).toEqual({ ...newTally(), accounts: 2, unusable: 1, registered: 1 });
  expect(findings).toMatchObject([
    { type: "unusable", username: "not-a-uuid", fault: { code: "SUB_INVALID" } },
    { type: "registered", sub },
  ]);
});

test("a sub in upper case is the same user", async () => {
  const sub = system.account({ sub: randomUUID().toUpperCase() });
  await insert(sub.toLowerCase(), `${sub}@example.com`);
  expect((await run()).tally).toEqual({ ...newTally(), accounts: 1, present: 1 });
});

test("only a few pages are fetched ahead, for a pool of any size", async () => {
  await system.accounts(1_200, 1);
  let fetched = 0;
  let ahead = 0;
  let done = 0;
  const accounts = new Accounts(system.cognito.sdk, system.cognito.poolId);
  async function* pages(signal: AbortSignal) {
    for await (const page of accounts.pages(signal)) {
      fetched++;
      yield page;
    }
  }
  const registered = async (subs: readonly string[]) => {
    // The first page waits until more pages are fetched, however long a busy machine takes for each.
    if (done === 0) await expect.poll(() => fetched, { timeout: 20_000 }).toBeGreaterThan(2);
    await new Promise((resolve) => setTimeout(resolve, done === 0 ? 500 : 20));
    ahead = Math.max(ahead, fetched - ++done);
    return rows.registered(subs);
  };
  const options = { dryRun: false, tally: newTally(), signal: new AbortController().signal, found() {} };
  await reconcile({
    ...options,
    accounts: { pages, find: (sub, signal) => accounts.find(sub, signal) },
    rows: Object.assign(Object.create(rows), { registered }),
  });
  expect([options.tally.present, fetched]).toEqual([1_200, 20]);
  expect(ahead).toBeGreaterThan(1);
  expect(ahead).toBeLessThanOrEqual(6);
});

test("reconcile stops between two users", async () => {
  await system.accounts(30, 31);
  const stop = new AbortController();
  const tally = newTally();
  const accounts = new Accounts(system.cognito.sdk, system.cognito.poolId);
  const run = reconcile({ accounts, rows, dryRun: false, tally, signal: stop.signal, found: () => stop.abort() });
  await expect(run).rejects.toMatchObject({ name: "AbortError" });
  // The first of the thirty had a row.
  expect(tally).toEqual({ ...newTally(), accounts: 2, present: 1, registered: 1 });
  expect(await system.rows()).toHaveLength(2);
});

test("every step waits for a database that is not running", async () => {
  const [present, missing] = [randomUUID(), randomUUID()];
  await insert(present, "present@example.com");
  await system.database.server.stop();
  system.database.disconnect();
  const steps = Promise.all([
    rows.registered([present]),
    rows.ownerOf("present@example.com"),
    rows.foresee({ sub: present, email: "present@example.com" }),
    rows.register({ sub: missing, email: "missing@example.com" }),
  ]);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  await system.database.server.start();
  const owner = { sub: present, email: "present@example.com" };
  expect(await steps).toEqual([new Set([present]), owner, false, true]);
});

describe("in 30 rounds with different missing rows, while people sign up", () => {
  test.each([false, true])("every account is counted once and none is missed; dry run: %s", async (dryRun) => {
    for (let round = 0; round < 30; round++) {
      await system.empty();
      // From no accounts to whole pages, also one account less and one more than whole pages.
      const count = [0, 1, 59, 60, 61, 120, 121, 200][round % 8]!;
      const { missing } = await system.accounts(count, 1 + (round % 5));
      const newcomers: string[] = [];
      let ended = false;
      const signUps = (async () => {
        while (!ended && newcomers.length < 40) {
          const sub = system.account();
          newcomers.push(sub);
          // As the function does a moment after the confirmation; every fourth sign-up fails and leaves no row.
          if (newcomers.length % 4 !== 0) await insert(sub, `${sub}@example.com`).catch(isDuplicate);
        }
      })();
      const { tally, findings } = await run({}, dryRun);
      ended = true;
      await signUps;

      const { accounts, ...outcomes } = tally;
      expect(Object.values(outcomes).reduce((sum, each) => sum + each)).toBe(accounts);
      expect(accounts).toBeGreaterThanOrEqual(count);
      expect(accounts).toBeLessThanOrEqual(count + newcomers.length);
      const found = findings.map((finding) => finding.type === "registered" && finding.sub);
      expect(found).toEqual(expect.arrayContaining(missing));
      expect(found).toHaveLength(tally.registered);
      const rows = new Set((await system.rows()).map((row) => row.User_UUID));
      // Every account that existed at the start has a row now; a dry run has changed nothing.
      expect(missing.filter((sub) => rows.has(sub))).toHaveLength(dryRun ? 0 : missing.length);
      if (dryRun) continue;
      const after = await run({}, dryRun);
      expect(after.tally.registered).toBeLessThanOrEqual(newcomers.length);
      expect(await system.rows()).toHaveLength(count + newcomers.length);
    }
  });
});

test("counts that do not add up are an error", async () => {
  await system.accounts(3, 2);
  const tally = newTally();
  const found = () => {
    tally.present--;
  };
  const accounts = new Accounts(system.cognito.sdk, system.cognito.poolId);
  const unsound = reconcile({ accounts, rows, dryRun: false, tally, signal: new AbortController().signal, found });
  await expect(unsound).rejects.toThrow("listed 3 accounts, but 2 were dealt with");
});

test.each([
  ["CONFIRMED", true],
  ["RESET_REQUIRED", true],
  ["EXTERNAL_PROVIDER", true],
  ["UNCONFIRMED", false],
  ["FORCE_CHANGE_PASSWORD", false],
])("an account in state %s needs a row: %s", (status, needsRow) => {
  expect(isConfirmed({ status })).toBe(needsRow);
});
