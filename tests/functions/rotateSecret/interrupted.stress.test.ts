/** Interrupted rotations: the old password stays valid until the next rotation, and a repeated rotation succeeds. */
import { PutSecretValueCommand, UpdateSecretVersionStageCommand } from "@aws-sdk/client-secrets-manager";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Outcome } from "../../../local/services/lambda/container";
import { Deployment, SecretId, type Step } from "./deployment";

let deployment: Deployment;
let old: string;
beforeAll(async () => {
  deployment = await Deployment.start();
});
afterAll(() => deployment?.end());
beforeEach(async () => {
  old = (await deployment.secret()).password;
});
afterEach(async () => {
  deployment.intercept = (_step, invoke) => invoke();
  const logs = deployment.logs();
  for (const password of await deployment.passwords()) expect(logs).not.toContain(password);
});

const steps: Step[] = ["createSecret", "setSecret", "testSecret", "finishSecret"];
const lost: Outcome = { failed: true, payload: '{"errorType":"Lost","errorMessage":"no answer"}' };

/** Intercepts the call of one step, once. */
function at(step: Step, once: (invoke: () => Promise<Outcome>) => Promise<Outcome>): void {
  deployment.intercept = (current, invoke) => {
    if (current !== step) return invoke();
    deployment.intercept = (_step, next) => next();
    return once(invoke);
  };
}

/** A person signs up by a new container, which has to log in. */
async function newContainerSignsUp(): Promise<void> {
  await deployment.forgetConnections();
  expect(await deployment.signUp()).toMatchObject({ failed: false });
}

/** The secret still has the old password, and MySQL accepts it. */
async function nothingHasChanged(): Promise<void> {
  expect((await deployment.secret()).password === old).toBe(true);
  expect(await deployment.accepts(old)).toBe(true);
  await newContainerSignsUp();
}

/** The secret has another password; MySQL accepts it and the one before it, for late readers, and no other. */
async function rotated(before = old): Promise<void> {
  const { password } = await deployment.secret();
  expect(password === old).toBe(false);
  expect(password).toMatch(/^[A-Za-z0-9]{32}$/);
  const accepted = await deployment.acceptedPasswords();
  expect([accepted.length, accepted.includes(password), accepted.includes(before)]).toEqual([2, true, true]);
  await newContainerSignsUp();
}

/** A person writes another value into the secret. */
async function putByHand(fields: object): Promise<void> {
  await deployment.client.send(new PutSecretValueCommand({ SecretId, SecretString: JSON.stringify(fields) }));
}

/** An operator gives up the unfinished rotation. */
async function giveUp(): Promise<void> {
  const version = await deployment.versionWith("AWSPENDING");
  const label = { SecretId, VersionStage: "AWSPENDING", RemoveFromVersionId: version };
  await deployment.client.send(new UpdateSecretVersionStageCommand(label));
}

describe.each(steps)("cut off at %s", (step) => {
  it("before it was done", async () => {
    at(step, async () => lost);
    expect(await deployment.rotate()).toBe(false);
    await nothingHasChanged();
    expect(await deployment.rotate()).toBe(true);
    await rotated();
  });

  it("after it was done", async () => {
    at(step, async (invoke) => {
      expect(await invoke()).toMatchObject({ failed: false });
      return lost;
    });
    expect(await deployment.rotate()).toBe(false);
    if (step === "finishSecret") return rotated();
    await nothingHasChanged();
    expect(await deployment.rotate()).toBe(true);
    await rotated();
  });

  it.each([5, 30])("by a kill after %i ms", async (milliseconds) => {
    at(step, async (invoke) => {
      const invoked = invoke();
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      await deployment.killRotation();
      await invoked.catch(() => {});
      return lost;
    });
    expect(await deployment.rotate()).toBe(false);
    const { password } = await deployment.secret();
    expect(await deployment.accepts(password)).toBe(true);
    await newContainerSignsUp();
    expect(await deployment.rotate()).toBe(true);
    // If the function was killed after it had finished, the next rotation is a new one.
    await rotated(password);
  });
});

describe.each(steps.slice(1))("MySQL down at %s", (step) => {
  it("is reported, and the repeated rotation succeeds", async () => {
    at(step, async (invoke) => {
      await deployment.server.stop();
      try {
        const outcome = await invoke();
        expect(JSON.parse(outcome.payload)).toMatchObject({ errorType: "DatabaseUnavailable" });
        return outcome;
      } finally {
        await deployment.server.start();
      }
    });
    expect(await deployment.rotate()).toBe(false);
    expect(deployment.reported.at(-1)).toContain(`failed at ${step}: DatabaseUnavailable`);
    await nothingHasChanged();
    expect(await deployment.rotate()).toBe(true);
    await rotated();
  });
});

it("leaves the current password valid when a rotation that was given up is followed by another", async () => {
  at("testSecret", async () => lost);
  expect(await deployment.rotate()).toBe(false);
  const givenUp = await deployment.versionWith("AWSPENDING");
  await giveUp();
  at("finishSecret", async () => lost);
  expect(await deployment.rotate()).toBe(false);
  expect(await deployment.versionWith("AWSPENDING")).not.toBe(givenUp);
  await nothingHasChanged();
  expect(await deployment.rotate()).toBe(true);
  await rotated();
});

it("repairs a secret whose password was changed by hand, but not in MySQL", async () => {
  await putByHand({ ...(await deployment.secret()), password: "it's \\ wrong" });
  await deployment.forgetConnections();
  expect(JSON.parse((await deployment.signUp()).payload)).toMatchObject({ errorType: "DatabaseAccessDenied" });
  expect(await deployment.rotate()).toBe(true);
  await rotated();
});

it("logs in at the database itself, and replaces a wrong address in the secret", async () => {
  const { host, port, dbClusterIdentifier } = await deployment.secret();
  const moved = { host: "gone.invalid", port: 1, dbClusterIdentifier: "gone" };
  await putByHand({ ...(await deployment.secret()), ...moved });
  await deployment.forgetConnections();
  expect(await deployment.signUp()).toMatchObject({ failed: true });
  expect(await deployment.rotate()).toBe(true);
  expect(await deployment.secret()).toMatchObject({ host, port, dbClusterIdentifier });
  await rotated();
});

it("accepts any characters in a password that was set by hand", async () => {
  const password = `'; DROP USER ecommerce_register; -- \\' \\\\ "ü%?`;
  const { username } = await deployment.secret();
  await deployment.query("ALTER USER ?@'%' IDENTIFIED BY ?", [username, password]);
  await putByHand({ ...(await deployment.secret()), password });
  at("finishSecret", async () => lost);
  expect(await deployment.rotate()).toBe(false);
  expect(await deployment.accepts(password)).toBe(true);
  expect(await deployment.rotate()).toBe(true);
  await rotated(password);
});

it("names the missing privilege if the user may not have two passwords", async () => {
  await deployment.query("REVOKE APPLICATION_PASSWORD_ADMIN ON *.* FROM 'ecommerce_register'@'%'");
  expect(await deployment.rotate()).toBe(false);
  expect(deployment.reported.at(-1)).toMatch(/failed at setSecret: PrivilegeMissing: .*APPLICATION_PASSWORD_ADMIN/);
  await nothingHasChanged();
  await deployment.query("GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO 'ecommerce_register'@'%'");
  expect(await deployment.rotate()).toBe(true);
  await rotated();
});

it("leaves no removed password valid, even if a client was logging in with it meanwhile", async () => {
  const previous = (await deployment.secret({ VersionStage: "AWSPREVIOUS" })).password;
  const send = await deployment.logInSlowly(previous);
  at("testSecret", async (invoke) => {
    await send();
    expect(await deployment.accepts(previous), "MySQL remembers who logged in").toBe(true);
    return invoke();
  });
  expect(await deployment.rotate()).toBe(true);
  await rotated();
});

it("keeps passwords out of MySQL's own log of statements", async () => {
  await deployment.query("SET GLOBAL log_output = 'TABLE'");
  await deployment.query("SET GLOBAL general_log = ON");
  expect(await deployment.rotate()).toBe(true);
  await deployment.query("SET GLOBAL general_log = OFF");
  const rows = await deployment.query("SELECT CONVERT(argument USING utf8mb4) AS line FROM mysql.general_log");
  const lines = rows.map(({ line }: { line: string }) => line).join("\n");
  expect(lines).toContain("RETAIN CURRENT PASSWORD");
  for (const password of await deployment.passwords()) expect(lines).not.toContain(password);
});

describe("the function", () => {
  const pending = { ClientRequestToken: "0".repeat(32) };
  it.each<[string, object, string]>([
    ["no step of a rotation", { SecretId, ...pending, Step: "deleteSecret" }, "EventMalformed"],
    ["no secret", { ...pending, Step: "setSecret" }, "EventMalformed"],
    ["no version", { SecretId, Step: "setSecret" }, "EventMalformed"],
    ["nothing", [], "EventMalformed"],
    ["a version that is not pending", { SecretId, ...pending, Step: "setSecret" }, "VersionNotPending"],
    ["another secret", { SecretId: "other", ...pending, Step: "setSecret" }, "SecretUnavailable"],
  ])("refuses %s", async (_what, event, errorType) => {
    expect(JSON.parse((await deployment.invokeRotation(event)).payload)).toMatchObject({ errorType });
  });

  it("does nothing to a version that is current already", async () => {
    const event = { SecretId, ClientRequestToken: await deployment.versionWith("AWSCURRENT") };
    for (const Step of steps) {
      expect(await deployment.invokeRotation({ ...event, Step })).toMatchObject({ failed: false });
    }
    await nothingHasChanged();
  });

  it("refuses a secret that describes no database user, without repeating its value", async () => {
    const good = await deployment.secret();
    await putByHand({ password: "pass-phrase" });
    expect(await deployment.rotate()).toBe(false);
    expect(deployment.reported.at(-1)).toMatch(
      /failed at createSecret: SecretInvalid: .*username must be a non-empty string/,
    );
    expect(deployment.reported.at(-1)).not.toContain("pass-phrase");
    await giveUp();
    await putByHand(good);
    expect(await deployment.rotate()).toBe(true);
    await rotated();
  });

  it.each([
    ["another service", "cognito-idp.amazonaws.com", undefined],
    [
      "another secret's rotation",
      "secretsmanager.amazonaws.com",
      "arn:aws:secretsmanager:us-east-1:000000000000:secret:x-abcdef",
    ],
  ])("may not be invoked by %s", async (_who, service, sourceArn) => {
    const { ARN } = await deployment.describe();
    const invoked = deployment.invokeRotation({}, { service, sourceArn: sourceArn ?? ARN! });
    await expect(invoked).rejects.toMatchObject({ code: "AccessDeniedException" });
  });
});
