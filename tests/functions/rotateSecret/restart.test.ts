/** The password that the program registers does not overwrite the one that was rotated. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Deployment } from "./deployment";

let deployment: Deployment;
const signsUp = async () => expect(await deployment.signUp()).toMatchObject({ failed: false });
const current = async () => (await deployment.secret()).password as string;

/** Starts a rotation whose second step is done, but whose answer to that step is lost. */
async function loseSetSecret(): Promise<void> {
  deployment.intercept = async (step, invoke) => {
    const outcome = await invoke();
    return step === "setSecret" ? { failed: true, payload: '{"errorType":"Lost"}' } : outcome;
  };
  expect(await deployment.rotate()).toBe(false);
  deployment.intercept = (_step, invoke) => invoke();
}

beforeAll(async () => {
  deployment = await Deployment.start(0);
});
afterAll(() => deployment?.end());

it("is off unless it is configured: no rotation is registered, and the user may have one password only", async () => {
  expect(deployment.registered("aws:secretsmanager/secretRotation:SecretRotation")).toEqual([]);
  expect(deployment.registered("aws:lambda/function:Function")).toHaveLength(1);
  expect(await deployment.describe()).toMatchObject({ RotationEnabled: false });
  const grants = await deployment.query("SHOW GRANTS FOR 'ecommerce_register'@'%'");
  expect(JSON.stringify(grants)).not.toContain("PASSWORD");
  await signsUp();
});

it("turned on rotates at once; the program's password is good for those who read late, until the second rotation", async () => {
  const programs = await current();
  await deployment.up(30);
  const rotated = await current();
  expect(rotated === programs).toBe(false);
  expect([await deployment.accepts(programs), await deployment.accepts(rotated)]).toEqual([true, true]);
  const { RotationEnabled, RotationRules, NextRotationDate, LastRotatedDate } = await deployment.describe();
  expect({ RotationEnabled, RotationRules }).toEqual({
    RotationEnabled: true,
    RotationRules: { AutomaticallyAfterDays: 30 },
  });
  expect(NextRotationDate!.getTime() - LastRotatedDate!.getTime()).toBe(30 * 24 * 60 * 60 * 1000);
  await signsUp();
  expect(await deployment.rotate()).toBe(true);
  expect([await deployment.accepts(programs), await deployment.accepts(rotated)]).toEqual([false, true]);
  await signsUp();
});

it("the same program again changes nothing", async () => {
  const before = [await deployment.describe(), await deployment.secret()];
  await deployment.up(30);
  const after = [await deployment.describe(), await deployment.secret()];
  for (const answer of [...before, ...after]) delete (answer as Record<string, unknown>).$metadata;
  expect(after).toEqual(before);
  expect(await deployment.accepts(await current())).toBe(true);
  await signsUp();
});

it("another address of the database reaches the secret, with the rotated password", async () => {
  const before = await deployment.secret();
  await deployment.down();
  rmSync(join(deployment.directory, "ports.json"));
  await deployment.up(30);
  const after = await deployment.secret();
  expect(after.port).not.toBe(before.port);
  expect(after).toEqual({ ...before, port: after.port });
  await signsUp();
  expect(await deployment.rotate()).toBe(true);
  await signsUp();
});

it("a rotation that was unfinished at the end of a run is finished at the next start", async () => {
  const before = await current();
  await loseSetSecret();
  await deployment.up(30);
  const after = await current();
  expect(after === before).toBe(false);
  expect([await deployment.accepts(before), await deployment.accepts(after)]).toEqual([true, true]);
  await signsUp();
});

it("an unfinished rotation is given up if the database has another address", async () => {
  const before = await deployment.secret();
  await loseSetSecret();
  await deployment.down();
  rmSync(join(deployment.directory, "ports.json"));
  await deployment.up(30);
  expect(await deployment.versionWith("AWSPENDING")).toBeUndefined();
  const { port } = await deployment.secret();
  expect(port).not.toBe(before.port);
  expect(await deployment.secret()).toEqual({ ...before, port });
  await signsUp();
  expect(await deployment.rotate()).toBe(true);
  await signsUp();
});

it("turned off keeps the valid password, also over further starts; turned on again it rotates", async () => {
  const rotated = await current();
  for (let start = 0; start < 2; start++) {
    await deployment.up(0);
    expect(await deployment.describe()).toMatchObject({ RotationEnabled: false });
    expect((await current()) === rotated).toBe(true);
    expect(await deployment.accepts(rotated)).toBe(true);
    await signsUp();
  }
  await deployment.up(30);
  expect((await current()) === rotated).toBe(false);
  await signsUp();
});

it("a first rotation that fails fails the start, with the step and what to do", async () => {
  await deployment.up(0);
  deployment.intercept = async (step, invoke) =>
    step === "testSecret" ? { failed: true, payload: '{"errorType":"Some","errorMessage":"fault"}' } : invoke();
  await expect(deployment.up(30)).rejects.toThrow(/rotation of ecommerce_secret failed at testSecret: Some: fault/);
  deployment.intercept = (_step, invoke) => invoke();
  await deployment.up(30);
  await signsUp();
});
