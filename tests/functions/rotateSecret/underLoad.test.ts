/** The secret rotates again and again while people sign up, and nobody notices. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { Deployment } from "./deployment";

let deployment: Deployment;
beforeAll(async () => {
  deployment = await Deployment.start();
});
afterAll(() => deployment?.end());

it("300 sign-ups and more in several containers while the secret rotates 5 times: none fails, one row each", async () => {
  const first = (await deployment.secret()).password as string;
  let rotating = true;
  let loggedIn = 0;
  const results: { sub: string; failed: boolean; payload: string }[] = [];
  const person = async () => {
    while (rotating || results.length < 300) results.push(await deployment.signUp());
  };
  // Containers keep their connections, which a new password does not end. So one after another is cut all the while, and
  // there is hardly a moment of the rotations in which nobody logs in.
  let cutting = true;
  const cut = async () => {
    const administrator = await deployment.administrator();
    const idle = "SELECT id AS id FROM information_schema.processlist WHERE user = ? AND command = 'Sleep' ORDER BY id";
    while (cutting) {
      const [[oldest]] = await administrator.query<any[]>(idle, ["ecommerce_register"]);
      if (oldest) {
        loggedIn++;
        await administrator.query(`KILL CONNECTION ${oldest.id}`).catch(() => {}); // Gone by itself.
      }
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    await administrator.end();
  };
  const people = Promise.all(Array.from({ length: 6 }, person));
  const cutter = cut();
  for (let rotated = 0; rotated < 5; ) {
    if (await deployment.rotate()) rotated++; // It may be cut, too, and is then asked for again.
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  rotating = false;
  await people;
  cutting = false;
  await cutter;

  expect(results.filter(({ failed }) => failed).map(({ payload }) => payload)).toEqual([]);
  expect(results.length).toBeGreaterThanOrEqual(300);
  const rows = await deployment.query("SELECT User_UUID AS sub FROM ecommerce_db.users");
  expect(rows.map(({ sub }: { sub: string }) => sub).toSorted()).toEqual(results.map(({ sub }) => sub).toSorted());
  expect(deployment.containers).toBeGreaterThan(3);
  expect(loggedIn).toBeGreaterThan(30);

  const { password } = await deployment.secret();
  const all = await deployment.passwords();
  // The program's own, that of the deployment's rotation, and these five.
  expect(new Set(all).size).toBeGreaterThanOrEqual(7);
  expect(all).toEqual(expect.arrayContaining([first, password]));
  for (const one of all)
    expect([one === password, await deployment.accepts(one)]).toEqual([one === password, one === password]);
  const logs = deployment.logs();
  expect(logs).toContain("ROTATED");
  for (const one of all) expect(logs).not.toContain(one);
});
