/** The secret rotates again and again while people sign up, and no sign-up fails, even if it reads the secret late. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { Deployment } from "./deployment";

let deployment: Deployment;
beforeEach(async () => {
  deployment = await Deployment.start();
});
afterEach(() => deployment?.end());

it.each([
  { reads: "each read is current", latest: 0 },
  { reads: "each read may be a second late", latest: 1000 },
])(
  "300 sign-ups and more in several containers, 5 rotations, and $reads: none fails, one row each",
  async ({ latest }) => {
    const first = (await deployment.secret()).password as string;
    // A late read then returns an earlier value, and not a secret without a value.
    await new Promise((resolve) => setTimeout(resolve, latest));
    deployment.lag = () => Math.random() * latest;
    let rotating = true;
    let loggedIn = 0;
    const results: { sub: string; failed: boolean; payload: string }[] = [];
    const person = async () => {
      while (rotating || results.length < 300) results.push(await deployment.signUp());
    };
    // Containers keep their connections, which a new password does not end. So the connections are cut one after
    // another, and nearly all the time of the rotations some container logs in.
    let cutting = true;
    const cut = async () => {
      const administrator = await deployment.administrator();
      const idle =
        "SELECT id AS id FROM information_schema.processlist WHERE user = ? AND command = 'Sleep' ORDER BY id";
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
      if (await deployment.rotate()) rotated++; // Its connection may be cut, too; then the rotation is repeated.
      // Two passwords are valid at once: late readers must finish with the older one before the next rotation.
      await new Promise((resolve) => setTimeout(resolve, 2 * latest + 300));
    }
    rotating = false;
    await people;
    cutting = false;
    await cutter;
    deployment.lag = () => 0;

    expect(results.filter(({ failed }) => failed).map(({ payload }) => payload)).toEqual([]);
    expect(results.length).toBeGreaterThanOrEqual(300);
    const rows = await deployment.query("SELECT User_UUID AS sub FROM ecommerce_db.users");
    expect(rows.map(({ sub }: { sub: string }) => sub).toSorted()).toEqual(results.map(({ sub }) => sub).toSorted());
    expect(deployment.containers).toBeGreaterThan(3);
    expect(loggedIn).toBeGreaterThan(30);

    // A container that took longer to log in than a rotation takes may have left an older password good, until the next.
    expect(await deployment.rotate()).toBe(true);
    const { password } = await deployment.secret();
    const all = await deployment.passwords();
    // The program's own, that of the deployment's rotation, these five, and the last.
    expect(new Set(all).size).toBeGreaterThanOrEqual(8);
    expect(all).toEqual(expect.arrayContaining([first, password]));
    const previous = (await deployment.secret({ VersionStage: "AWSPREVIOUS" })).password as string;
    const accepted = await deployment.acceptedPasswords();
    expect([accepted.length, accepted.includes(password), accepted.includes(previous)]).toEqual([2, true, true]);
    const logs = deployment.logs();
    expect(logs).toContain("ROTATED");
    for (const one of all) expect(logs).not.toContain(one);
  },
);
