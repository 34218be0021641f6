/** A thousand sign-ups, fifty at once, while MySQL crashes and comes back: nobody is lost, nobody is there twice. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { freshUser } from "../functions/support";
import { type Container, Deployment } from "./support/Deployment";

const USERS = 1000;
const AT_ONCE = 50;

let deployment: Deployment;
let container: Container;

beforeAll(async () => {
  deployment = await Deployment.start();
  // Lambda grants an account a thousand at once; here a reservation says that more than fifty are meant to be.
  container = await deployment.deploy({ concurrency: 3 * AT_ONCE });
  // Fifty starts at once are more than two processors do in a trigger's time; on Lambda each container has its own.
  await Promise.all(Array.from({ length: AT_ONCE }, () => container.invoke({})));
});
afterAll(() => deployment?.stop());

/** Calls the function for each event as Cognito does, so many at once. @returns the events that ended with a fault */
async function each(events: any[], told: (served: number) => void = () => {}): Promise<[event: any, fault: string][]> {
  const [waiting, failed]: [any[], [any, string][]] = [[...events], []];
  const next = async (): Promise<void> => {
    for (let event = waiting.pop(); event; event = waiting.pop()) {
      const fault = await container.confirm(event);
      if (fault) failed.push([event, fault]);
      told(events.length - waiting.length);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  return failed;
}

/** The same people sign in. */
const signInsOf = (events: any[]) =>
  events.map(({ request: { userAttributes } }) => {
    const signIn = freshUser("postAuthentication");
    Object.assign(signIn.request.userAttributes, userAttributes);
    return signIn;
  });

it("ends with one row for each confirmed user, by a sign-in at most", { timeout: 110_000 }, async () => {
  const { database } = deployment;
  const signUps = Array.from({ length: USERS }, () => freshUser());
  let [before, restarted] = [0, Promise.resolve()];
  const restart = async (): Promise<void> => {
    before = await database.count("Connections");
    database.disconnect();
    database.server.kill("SIGKILL");
    // Longer than an invocation may wait, so that the fifty under way are refused.
    await sleep(5500);
    await database.server.start();
  };
  let begun = false;
  const refused = await each(signUps, (served) => {
    if (served < USERS / 2 || begun) return;
    begun = true;
    restarted = restart();
  });
  await restarted;

  // Whoever was refused was told why, in time; no other invocation was harmed.
  const faults = new Set(refused.map(([, fault]) => fault.split(":")[0]));
  expect([...faults]).toContain("DatabaseUnavailable");
  faults.delete("DatabaseUnavailable");
  // A container that had not read its secret yet, on a busy machine.
  faults.delete("SecretUnavailable");
  expect([...faults]).toEqual([]);
  expect(refused.length).toBeLessThanOrEqual(2 * AT_ONCE);
  // A crashed container, or a new one each time, would show here.
  expect(deployment.world.lambda.containersStarted(container.name)).toBeLessThanOrEqual(AT_ONCE + 1);

  expect(await each(signInsOf(refused.map(([event]) => event)))).toEqual([]);
  const rows = await database.query("SELECT User_UUID, User_Email FROM ecommerce_db.users");
  const wanted = signUps.map(({ request: { userAttributes: user } }) => `${user.sub} ${user.email}`);
  expect(rows.map((row: any) => `${row.User_UUID} ${row.User_Email}`).sort()).toEqual(wanted.sort());

  // One connection a container, and one more after the crash, beside the few of the administrator's.
  const after = await database.count("Connections");
  expect(before).toBeLessThan(AT_ONCE + 20);
  expect(after).toBeLessThan(AT_ONCE + 20);
  expect(await database.count("Max_used_connections")).toBeLessThanOrEqual(AT_ONCE + 3);
  console.log(`${refused.length} of ${USERS} refused and repaired; connections: ${before} before, ${after} after`);
});
