/** A thousand sign-ups, fifty at once, while MySQL crashes and restarts: in the end each person has exactly one row. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Database } from "../../functions/registerUser/database";
import { createConnect } from "../../functions/shared/connection";
import { parseSecret } from "../../functions/shared/secret";
import { Accounts } from "../../operations/reconcile/cognitoAccounts";
import { type Finding, newTally, reconcile, type Tally } from "../../operations/reconcile/reconcile";
import { Rows } from "../../operations/reconcile/rows";
import { freshUser, secretFor } from "../functions/support";
import { LocalCognito } from "../local/services/cognito/support";
import { type Container, Deployment } from "./support/Deployment";

const USERS = 1000;
const AT_ONCE = 50;

let deployment: Deployment;
let container: Container;

beforeAll(async () => {
  deployment = await Deployment.start();
  // Lambda allows an account a thousand concurrent invocations; here a reservation allows more than fifty.
  container = await deployment.deploy({ concurrency: 3 * AT_ONCE });
  // Two processors cannot start fifty containers within a trigger's time; on Lambda each container has its own
  // processor.
  for (let running = 5; running <= AT_ONCE; running += 5) {
    const served = await Promise.all(Array.from({ length: running }, () => container.invoke({})));
    expect(new Set(served.map(({ fault }) => fault))).toEqual(new Set(["TriggerUnknown"]));
  }
});
afterAll(() => deployment?.stop());

interface Refused {
  readonly event: any;
  readonly fault: string;
  /** By `performance.now()`. */
  readonly begun: number;
}

/** Calls the function for each event as Cognito does, `AT_ONCE` at once. @returns the calls that failed */
async function each(events: any[], onServed: (served: number) => void = () => {}): Promise<Refused[]> {
  const [waiting, failed]: [any[], Refused[]] = [[...events], []];
  const next = async (): Promise<void> => {
    for (let event = waiting.pop(); event; event = waiting.pop()) {
      const begun = performance.now();
      const fault = await container.confirm(event);
      if (fault) failed.push({ event, fault, begun });
      onServed(events.length - waiting.length);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  return failed;
}

/** Sign-in events of the same people. */
const signInsOf = (events: any[]) =>
  events.map(({ request: { userAttributes } }) => {
    const signIn = freshUser("postAuthentication");
    Object.assign(signIn.request.userAttributes, userAttributes);
    return signIn;
  });

/** Makes the same people accounts of a local user pool, and runs reconcile once. */
async function reconciled(events: any[]): Promise<{ tally: Tally; found: Finding[] }> {
  const { database } = deployment;
  const cognito = await LocalCognito.start();
  const connect = createConnect({ NODE_EXTRA_CA_CERTS: database.server.caFile });
  const connection = new Database(async () => parseSecret(secretFor(database.server)), connect);
  try {
    const { users } = cognito.cognito.pool(cognito.poolId)!;
    const now = Date.now();
    for (const { request } of events) {
      const { sub, email } = request.userAttributes;
      const attributes = { sub, email, email_verified: "true" };
      users.save({ username: sub, attributes, status: "CONFIRMED", enabled: true, created: now, modified: now });
    }
    const { signal } = new AbortController();
    const [tally, found]: [Tally, Finding[]] = [newTally(), []];
    await reconcile({
      accounts: new Accounts(cognito.sdk, cognito.poolId),
      rows: new Rows(connection, 30_000, signal),
      dryRun: false,
      tally,
      signal,
      found: (finding) => found.push(finding),
    });
    return { tally, found };
  } finally {
    connection.close();
    await cognito.dispose();
  }
}

it("ends with one row for each confirmed user, after a sign-in or one reconcile at most", async () => {
  const { database } = deployment;
  const signUps = Array.from({ length: USERS }, () => freshUser());
  let [before, back, restarted] = [0, 0, Promise.resolve()];
  const restart = async (): Promise<void> => {
    before = await database.count("Connections");
    database.disconnect();
    database.server.kill("SIGKILL");
    // Longer than an invocation may wait, so that the fifty invocations under way fail.
    await sleep(5500);
    await database.server.start();
    back = performance.now();
  };
  let begun = false;
  const refused = await each(signUps, (served) => {
    if (served < USERS / 2 || begun) return;
    begun = true;
    restarted = restart();
  });
  await restarted;

  // Each refused invocation failed in time with the right error; no other invocation failed.
  const faults = new Set(refused.map(({ fault }) => fault.split(":")[0]));
  expect([...faults]).toContain("DatabaseUnavailable");
  faults.delete("DatabaseUnavailable");
  // On a busy machine, a container that had not read its secret yet.
  faults.delete("SecretUnavailable");
  expect([...faults]).toEqual([]);
  // Their number depends on how long the server needs to start; once it is back, no further invocation fails.
  expect(refused.filter(({ begun }) => begun > back).length).toBeLessThanOrEqual(AT_ONCE);
  // The number would be higher if containers crashed or were started anew each time.
  expect(deployment.lambdaService.lambda.containersStarted(container.name)).toBeLessThanOrEqual(AT_ONCE + 1);

  // Half of them sign in, and reconcile finds the others among all the accounts.
  const half = refused.map(({ event }) => event).filter((_, i) => i % 2 === 0);
  expect(await each(signInsOf(half))).toEqual([]);
  // A row may have been made at the moment of the crash although its sign-up was refused.
  const [{ there }] = await database.query("SELECT COUNT(*) AS there FROM ecommerce_db.users");
  expect(there).toBeLessThan(USERS);
  const { tally, found } = await reconciled(signUps);
  expect(tally).toEqual({ ...newTally(), accounts: USERS, present: there, registered: USERS - there });
  expect(found).toHaveLength(USERS - there);

  const rows = await database.query("SELECT User_UUID, User_Email FROM ecommerce_db.users");
  const expected = signUps.map(({ request: { userAttributes: user } }) => `${user.sub} ${user.email}`);
  expect(rows.map((row: any) => `${row.User_UUID} ${row.User_Email}`).sort()).toEqual(expected.sort());

  // Each container opens one connection, and one more after the crash. The administrator has one, and a busy machine
  // gives some up before they are open. One connection for each invocation would be five hundred before the crash.
  const after = await database.count("Connections");
  expect(before).toBeLessThan(USERS / 4);
  expect(after).toBeLessThan(USERS / 4);
  expect(await database.count("Max_used_connections")).toBeLessThan(2 * AT_ONCE);
  console.log(`${refused.length} of ${USERS} refused and repaired; connections: ${before} before, ${after} after`);
});
