/** What others do to the rows between the command's looking and its writing, put there exactly. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createConnect } from "../../functions/registerUser/connection";
import { Database } from "../../functions/registerUser/database";
import { parseSecret } from "../../functions/registerUser/secret";
import { Accounts, isConfirmed } from "../../operations/reconcile/accounts";
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

test.each([false, true])("a row that was made meanwhile counts as there; dry run: %s", async (dryRun) => {
  const sub = system.account();
  const registered = async (subs: readonly string[]) => {
    const before = await rows.registered(subs);
    await insert(sub, `${sub}@example.com`);
    return before;
  };
  const { tally, findings } = await run({ registered }, dryRun);
  expect([tally, findings]).toEqual([{ ...newTally(), accounts: 1, present: 1 }, []]);
});

test("a conflict whose other row went away meanwhile has no owner", async () => {
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

test("a sub in capitals is the same", async () => {
  const sub = system.account({ sub: randomUUID().toUpperCase() });
  await insert(sub.toLowerCase(), `${sub}@example.com`);
  expect((await run()).tally).toEqual({ ...newTally(), accounts: 1, present: 1 });
});

test("no more is fetched ahead than a few pages, whatever the pool holds", async () => {
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
    await new Promise((resolve) => setTimeout(resolve, 20));
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

test("it stops between two users", async () => {
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

test("every step waits for a database that is away", async () => {
  const [there, missing] = [randomUUID(), randomUUID()];
  await insert(there, "there@example.com");
  await system.database.server.stop();
  system.database.disconnect();
  const steps = Promise.all([
    rows.registered([there]),
    rows.ownerOf("there@example.com"),
    rows.foresee({ sub: there, email: "there@example.com" }),
    rows.register({ sub: missing, email: "missing@example.com" }),
  ]);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  await system.database.server.start();
  const owner = { sub: there, email: "there@example.com" };
  expect(await steps).toEqual([new Set([there]), owner, false, true]);
});

test.each([
  ["CONFIRMED", true],
  ["RESET_REQUIRED", true],
  ["EXTERNAL_PROVIDER", true],
  ["UNCONFIRMED", false],
  ["FORCE_CHANGE_PASSWORD", false],
])("an account in state %s owes a row: %s", (status, owes) => {
  expect(isConfirmed({ status })).toBe(owes);
});
