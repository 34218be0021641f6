/** Rotation by the AWS SDK, with a simulated rotation function; the real one has its own tests. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  RotateSecretCommand,
  type RotateSecretCommandInput,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ServiceContext } from "../../../../local/lib/service";
import { AwsError } from "../../../../local/services/aws/awsError";
import { Iam } from "../../../../local/services/iam/iam";
import { SecretsManager } from "../../../../local/services/secretsmanager/secretsManager";
import { until } from "../lambda/support";

interface Event {
  readonly Step: string;
  readonly SecretId: string;
  readonly ClientRequestToken: string;
}

const SecretId = "ecommerce_secret";
const functionArn = "arn:aws:lambda:eu-west-1:111122223333:function:rotate";
const token = "1".repeat(32);
let context: ServiceContext;
let reported: string[];
let events: Event[];
let permitted: boolean;
/** What the function does in a step. An error that it throws is the function's failure. */
let act: (event: Event) => Promise<void>;
let secrets: SecretsManager;
let client: SecretsManagerClient;
let arn: string;

beforeEach(async () => {
  [reported, events, permitted, act] = [[], [], true, standard];
  const directory = mkdtempSync(join(tmpdir(), "rotation-"));
  const region = "eu-west-1";
  context = { directory, region, accountId: "111122223333", port: async () => 0, info: (line) => reported.push(line) };
  await start();
});
afterEach(async () => {
  await stop();
  rmSync(context.directory, { recursive: true });
});

/** Starts the service, and registers the secret with its first value. */
async function start(): Promise<void> {
  const iam = new Iam(context);
  secrets = await SecretsManager.start(context, iam);
  secrets.rotationFunctions = (name, secretArn) => {
    if (!permitted || name !== functionArn) throw new AwsError("AccessDeniedException", 403, "not authorized");
    return {
      invoke: async (text) => {
        const event: Event = JSON.parse(text);
        expect(event.SecretId).toBe(secretArn);
        events.push(event);
        try {
          await act(event);
          return { failed: false, payload: "null" };
        } catch (error) {
          const { name: errorType, message: errorMessage } = error as Error;
          return { failed: true, payload: JSON.stringify({ errorType, errorMessage }) };
        }
      },
    };
  };
  client = new SecretsManagerClient({
    region: context.region,
    endpoint: secrets.endpoint,
    credentials: iam.administrator,
    maxAttempts: 1,
  });
  arn = (await make("secret:Secret", "secret", { name: SecretId })).id;
  await make("secretVersion:SecretVersion", "value", { secretId: arn, secretString: "first" });
}
async function stop(): Promise<void> {
  client.destroy();
  await secrets.close();
}
const make = async (type: string, name: string, inputs: Record<string, unknown>) =>
  secrets.handlers[`aws:secretsmanager/${type}`]!({ type, name, inputs });
const makeRotation = (inputs = {}) =>
  make("secretRotation:SecretRotation", "rotation", {
    secretId: arn,
    rotationLambdaArn: functionArn,
    rotationRules: { automaticallyAfterDays: 30 },
    ...inputs,
  });

/** Makes the stored rotation look older. */
function age(days: number): void {
  const file = join(context.directory, "secrets", "secrets.json");
  const kept = JSON.parse(readFileSync(file, "utf8"));
  kept[SecretId].rotation.lastRotatedDate -= days * 24 * 60 * 60;
  writeFileSync(file, JSON.stringify(kept));
}

/** The four steps, as a rotation function does them. */
async function standard({ Step, SecretId: id, ClientRequestToken }: Event): Promise<void> {
  if (Step === "createSecret") {
    const put = { SecretId: id, ClientRequestToken, SecretString: `of ${ClientRequestToken}` };
    await client.send(new PutSecretValueCommand({ ...put, VersionStages: ["AWSPENDING"] }));
  }
  if (Step === "finishSecret") {
    const stages = (await describeSecret()).VersionIdsToStages!;
    const RemoveFromVersionId = Object.keys(stages).find((version) => stages[version]!.includes("AWSCURRENT"));
    const move = { SecretId: id, VersionStage: "AWSCURRENT", MoveToVersionId: ClientRequestToken, RemoveFromVersionId };
    await client.send(new UpdateSecretVersionStageCommand(move));
  }
}

const describeSecret = () => client.send(new DescribeSecretCommand({ SecretId }));
const value = async () => (await client.send(new GetSecretValueCommand({ SecretId }))).SecretString;
const rotate = (input: Partial<RotateSecretCommandInput> = {}) =>
  client.send(new RotateSecretCommand({ SecretId, ClientRequestToken: token, ...input }));
const rotated = () => until(async () => (await describeSecret()).LastRotatedDate !== undefined);
/** Makes the function wait before each step. @returns a function that ends the wait */
function holdFunction(): () => void {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  act = async (event) => {
    await held;
    await standard(event);
  };
  return release;
}
const configured = { RotationLambdaARN: functionArn, RotationRules: { AutomaticallyAfterDays: 7 } };

describe("RotateSecret", () => {
  it("returns at once, calls the function for four steps of one version, which becomes current", async () => {
    const first = Object.keys((await describeSecret()).VersionIdsToStages!)[0]!;
    const release = holdFunction();
    expect(await rotate(configured)).toMatchObject({ ARN: arn, Name: SecretId, VersionId: token });
    // The version exists, without a value, before the function has written one.
    expect((await describeSecret()).VersionIdsToStages).toEqual({ [first]: ["AWSCURRENT"], [token]: ["AWSPENDING"] });
    for (const which of [{ VersionId: token }, { VersionStage: "AWSPENDING" }]) {
      await expect(client.send(new GetSecretValueCommand({ SecretId, ...which }))).rejects.toMatchObject({
        name: "ResourceNotFoundException",
      });
    }
    release();
    await rotated();
    const steps = ["createSecret", "setSecret", "testSecret", "finishSecret"];
    expect(events).toEqual(steps.map((Step) => ({ Step, SecretId: arn, ClientRequestToken: token })));
    expect(await value()).toBe(`of ${token}`);
    expect(await describeSecret()).toMatchObject({
      RotationEnabled: true,
      RotationLambdaARN: functionArn,
      RotationRules: { AutomaticallyAfterDays: 7 },
      VersionIdsToStages: { [first]: ["AWSPREVIOUS"], [token]: ["AWSPENDING", "AWSCURRENT"] },
    });
  });

  it("keeps the current value if a step fails, and continues with the same version at the next request", async () => {
    act = async (event) => {
      if (event.Step === "setSecret") throw new TypeError("no database");
      await standard(event);
    };
    await rotate(configured);
    await until(() => reported.length > 0);
    expect(reported).toEqual([`The rotation of ${SecretId} failed at setSecret: TypeError: no database`]);
    expect([await value(), events.length]).toEqual(["first", 2]);
    act = standard;
    await expect(rotate({ ClientRequestToken: "2".repeat(32) })).rejects.toMatchObject({
      name: "InvalidRequestException",
      message: "A previous rotation isn't complete. That rotation will be reattempted.",
    });
    await rotated();
    expect(await value()).toBe(`of ${token}`);
  });

  it("starts no second rotation while one is running", async () => {
    const release = holdFunction();
    await rotate(configured);
    await expect(rotate({ ClientRequestToken: "2".repeat(32) })).rejects.toMatchObject({
      name: "InvalidRequestException",
    });
    expect(await rotate()).toMatchObject({ VersionId: token }); // The same request once more.
    release();
    await rotated();
    expect(events).toHaveLength(4);
  });

  it("reports a function that does not make the new version current", async () => {
    act = async (event) => {
      if (event.Step !== "finishSecret") await standard(event);
    };
    await rotate(configured);
    await until(() => reported.length > 0);
    expect(reported[0]).toContain("did not make the new version the current one");
    expect(await value()).toBe("first");
  });

  it("only saves the settings if RotateImmediately is false", async () => {
    expect((await rotate({ ...configured, RotateImmediately: false })).VersionId).toBeUndefined();
    expect(await describeSecret()).toMatchObject({ RotationEnabled: true });
    expect([events, await value()]).toEqual([[], "first"]);
  });

  it.each<[string, Partial<RotateSecretCommandInput>, string, RegExp]>([
    ["no function", {}, "InvalidRequestException", /No Lambda rotation function ARN/],
    ["an unknown function", { RotationLambdaARN: `${functionArn}x` }, "AccessDeniedException", /cannot invoke/],
    ["a short token", { ...configured, ClientRequestToken: "1" }, "InvalidParameterException", /between 32 and 64/],
    [
      "no day",
      { ...configured, RotationRules: { AutomaticallyAfterDays: 0 } },
      "InvalidParameterException",
      /1 to 1000/,
    ],
    [
      "half a day",
      { ...configured, RotationRules: { AutomaticallyAfterDays: 0.5 } },
      "InvalidParameterException",
      /whole/,
    ],
  ])("refuses %s", async (_what, input, name, message) => {
    await expect(rotate(input)).rejects.toMatchObject({ name, message: expect.stringMatching(message) });
    expect(events).toEqual([]);
  });

  it("refuses a function without a permission for Secrets Manager", async () => {
    permitted = false;
    await expect(rotate(configured)).rejects.toMatchObject({ name: "AccessDeniedException" });
    expect(await describeSecret()).toMatchObject({ RotationEnabled: false });
  });
});

describe("a SecretRotation of the program", () => {
  it("rotates when it is new, and at a later start only if a rotation is due", async () => {
    expect(await makeRotation()).toEqual({ id: arn, outputs: { secretId: arn, rotationEnabled: true } });
    const second = await value();
    expect(second).toMatch(/^of /);
    for (const [days, isDue] of [
      [29, false],
      [2, true],
    ] as const) {
      await stop();
      age(days);
      await start();
      await makeRotation();
      expect((await value()) !== second).toBe(isDue);
    }
  });

  it("does not rotate at the start if rotateImmediately is false", async () => {
    await makeRotation({ rotateImmediately: false });
    expect([events, await value()]).toEqual([[], "first"]);
  });

  it("fails the start if its first rotation fails, and only reports a later failure", async () => {
    act = async () => {
      throw new RangeError("broken");
    };
    await expect(makeRotation()).rejects.toThrow(/ecommerce_secret failed at createSecret: RangeError: broken/);
    act = standard;
    await makeRotation();
    const second = await value();
    act = async () => {
      throw new RangeError("broken");
    };
    await rotate();
    await until(() => reported.length > 0);
    await stop();
    await start();
    await makeRotation();
    expect(reported.filter((line) => line.includes("RangeError: broken"))).toHaveLength(2);
    expect(await value()).toBe(second);
  });

  it("is off after a start without it", async () => {
    await makeRotation();
    await stop();
    await start();
    expect(await describeSecret()).toMatchObject({ RotationEnabled: false });
  });

  it.each<[object, RegExp]>([
    [{ secretId: "other" }, /there is no secret "other"/],
    [{ rotationLambdaArn: undefined }, /rotationLambdaArn is missing/],
    [{ rotationRules: undefined }, /needs automaticallyAfterDays/],
    [{ rotationRules: { scheduleExpression: "rate(1 day)" } }, /needs automaticallyAfterDays/],
    [{ rotationRules: { automaticallyAfterDays: 1, duration: "3h" } }, /rotationRules\.duration is not simulated/],
    [{ rotationRules: { automaticallyAfterDays: 1001 } }, /1 to 1000/],
  ])("refuses %o", async (inputs, message) => {
    await expect(makeRotation(inputs)).rejects.toThrow(message);
  });
});

it("keeps rotated fields of a JSON value when the program changes others", async () => {
  const declare = (fields: object) =>
    make("secretVersion:SecretVersion", "value", { secretId: arn, secretString: JSON.stringify(fields) });
  await declare({ host: "a", port: 1, password: "p" });
  const rotatedValue = JSON.stringify({ host: "a", port: 1, password: "rotated", by: "rotation" });
  await client.send(new PutSecretValueCommand({ SecretId, SecretString: rotatedValue }));
  await declare({ host: "a", port: 1, password: "p" });
  expect(JSON.parse((await value())!)).toEqual({ host: "a", port: 1, password: "rotated", by: "rotation" });
  await declare({ host: "a", port: 2, password: "p" });
  expect(JSON.parse((await value())!)).toEqual({ host: "a", port: 2, password: "rotated" });
  await declare({ host: "a", port: 2, password: "the program's new one" });
  expect(JSON.parse((await value())!)).toEqual({ host: "a", port: 2, password: "the program's new one" });
});
