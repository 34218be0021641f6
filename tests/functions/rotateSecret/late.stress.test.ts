/**
 * Secrets Manager returns new values a moment late: a rotation waits for them, and takes no old version for the
 * current.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Dependencies, handlerOf, type Line } from "../../../functions/rotateSecret/handler";
import { sleep } from "../../../functions/shared/time";
import { Deployment } from "./deployment";

describe("a rotation", () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await Deployment.start();
  });
  afterAll(() => deployment?.end());
  afterEach(() => {
    deployment.lag = () => 0;
    deployment.intercept = (_step, invoke) => invoke();
  });

  it("succeeds at the first attempt if every change is visible a second late", async () => {
    deployment.lag = () => 1000;
    await sleep(1000); // Only now is the first rotation visible, too.
    expect(await deployment.rotate()).toBe(true);
    expect(deployment.reported.filter((line) => line.includes("failed"))).toEqual([]);
    expect(deployment.logs()).not.toMatch(/SECRET_EMPTY|VERSION_NOT_PENDING/);
  });

  it("right after another one takes no older version for the current one, whose password stays good", async () => {
    expect(await deployment.rotate()).toBe(true);
    const current = (await deployment.secret()).password as string;
    const versions = Object.keys((await deployment.describe()).VersionIdsToStages!);
    // The new version is visible at once, and the older ones as they were before.
    deployment.lag = (operation, { VersionId: asked }) =>
      operation === "GetSecretValue" && (typeof asked !== "string" || versions.includes(asked)) ? 2500 : 0;
    const lost = { failed: true, payload: '{"errorType":"Lost"}' };
    deployment.intercept = async (step, invoke) => (step === "finishSecret" ? lost : invoke());
    expect(await deployment.rotate()).toBe(false);
    expect(await deployment.accepts(current)).toBe(true);
    await deployment.forgetConnections();
    deployment.lag = () => 0;
    expect(await deployment.signUp()).toMatchObject({ failed: false });
  });
});

describe("the function", () => {
  const pauses = [100, 200, 400, 800, 1600];
  const text = (password: string) =>
    JSON.stringify({ username: "u", password, engine: "mysql", host: "h", port: 3306, dbClusterIdentifier: "d" });
  const labels = new Map([
    ["v1", ["AWSCURRENT"]],
    ["v2", ["AWSPENDING"]],
  ]);

  /** Takes one step in front of a Secrets Manager that shows what it has after so many looks. */
  async function takes(step: string, shownAfter: { labels?: number; v1?: number; v2?: number }) {
    const looks = { labels: 0, v1: 0, v2: 0 };
    const paused: number[] = [];
    const lines: Line[] = [];
    const isShown = (what: keyof typeof looks) => looks[what]++ >= (shownAfter[what] ?? 0);
    const account = { addPassword: async () => {}, repeatPassword: async () => {}, close: () => {} };
    const refused = async () => {
      throw new Error("this call was not expected");
    };
    const dependencies: Dependencies = {
      versions: {
        stages: async () => (isShown("labels") ? labels : new Map([["v1", ["AWSCURRENT"]]])),
        read: async (_secretId, version) => (isShown(version as "v1" | "v2") ? text(version) : undefined),
        putPending: async () => {},
        makeCurrent: refused,
        noLongerPending: refused,
      },
      logIn: async ({ password }) => (password === "v2" && step === "setSecret" ? undefined : account),
      endpoint: { host: "h", port: 3306, dbClusterIdentifier: "d" },
      newPassword: () => "new",
      pause: async (milliseconds) => {
        paused.push(milliseconds);
      },
      log: (_level, line) => lines.push(line),
    };
    const event = { Step: step, SecretId: "s", ClientRequestToken: "v2" };
    await handlerOf(dependencies)(event).catch(() => {});
    return { code: lines[0]?.code, paused };
  }

  it.each([
    { step: "createSecret", late: { labels: 2 }, code: "PASSWORD_ALREADY_DRAWN" },
    { step: "createSecret", late: { v1: 2 }, code: "PASSWORD_ALREADY_DRAWN" },
    { step: "setSecret", late: { v2: 2 }, code: "PASSWORD_SET" },
    { step: "setSecret", late: { v1: 2 }, code: "PASSWORD_SET" },
    { step: "testSecret", late: { v2: 2 }, code: "PASSWORD_TESTED" },
  ])("looks again at $step: $late", async ({ step, late, code }) => {
    expect(await takes(step, late)).toEqual({ code, paused: [100, 200] });
  });

  it("does not wait for a password that it has yet to draw", async () => {
    expect(await takes("createSecret", { v2: 9 })).toEqual({ code: "PASSWORD_DRAWN", paused: [] });
  });

  it.each([
    { step: "createSecret", never: "labels", code: "VERSION_NOT_PENDING" },
    { step: "finishSecret", never: "labels", code: "VERSION_NOT_PENDING" },
    { step: "setSecret", never: "v1", code: "SECRET_EMPTY" },
    { step: "testSecret", never: "v2", code: "SECRET_EMPTY" },
    { step: "finishSecret", never: "v2", code: "SECRET_EMPTY" },
  ])("gives up after some seconds at $step: $never", async ({ step, never, code }) => {
    expect(await takes(step, { [never]: 6 })).toEqual({ code, paused: pauses });
  });
});
