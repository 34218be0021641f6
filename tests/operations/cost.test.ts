/** What `npm run cost` counts, and its messages where it cannot. */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ResourceRegistration } from "../../host/resources";
import { stackConfig } from "../../host/stackConfig";
import { fixedPrices } from "../../operations/cost/fixedCosts";
import { sum } from "../../operations/cost/line";
import { type Price, prices } from "../../operations/cost/prices";
import type * as stacks from "../../operations/cost/stack";
import { thousandSignUps, thousandUploads } from "../../operations/cost/variableCosts";
import { loadNatively, projectRoot } from "../support/native";
import { withoutStackTraces } from "../support/stackTraces";

const resource = (
  type: string,
  inputs: Record<string, unknown> = {},
  name = type.split(":").at(-1)!,
): ResourceRegistration => ({
  type,
  name,
  inputs,
});
const instance = (inputs = {}) =>
  resource("aws:rds/instance:Instance", {
    instanceClass: "db.t4g.small",
    storageType: "gp3",
    allocatedStorage: 100,
    ...inputs,
  });

describe("fixed prices", () => {
  test("add up to the sum that was calculated by hand", () => {
    const { lines, notPriced } = fixedPrices([
      instance({ multiAz: true, publiclyAccessible: true }), // 730 × 0.065 + 100 × 0.23 + 730 × 0.005 = 74.10
      resource("aws:ec2/vpcEndpoint:VpcEndpoint", { vpcEndpointType: "Interface", subnetIds: ["a", "b"] }), // 14.60
      resource("aws:secretsmanager/secret:Secret"), // 0.40
      resource("aws:kms/key:Key"), // 1.00
      resource("aws:cloudwatch/metricAlarm:MetricAlarm", { metricName: "Errors", period: 60 }), // 0.10
      resource("aws:cloudwatch/metricAlarm:MetricAlarm", {
        metricQueries: [{ metric: {} }, { metric: {} }, { id: "e" }],
      }), // 0.20
      resource("aws:cloudwatch/dashboard:Dashboard"), // 3.00
    ]);
    expect(notPriced).toEqual([]);
    expect(sum(lines)).toBeCloseTo(93.4, 6);
  });

  test("of Aurora's instances are for the minimum capacity, those of a proxy for at least eight units", () => {
    const scaling = (minCapacity: number) => ({ serverlessv2ScalingConfiguration: { minCapacity, maxCapacity: 16 } });
    const aurora = (minCapacity: number) => [
      resource("aws:rds/cluster:Cluster", scaling(minCapacity), "cluster"),
      resource("aws:rds/clusterInstance:ClusterInstance", {
        instanceClass: "db.serverless",
        clusterIdentifier: "cluster",
      }),
      resource("aws:rds/clusterInstance:ClusterInstance", {
        instanceClass: "db.serverless",
        clusterIdentifier: "cluster",
      }),
    ];
    const proxy = resource("aws:rds/proxy:Proxy");
    expect(sum(fixedPrices(aurora(1)).lines)).toBeCloseTo(2 * 730 * 0.12, 6);
    expect(sum(fixedPrices([...aurora(1), proxy]).lines)).toBeCloseTo(2 * 730 * 0.12 + 8 * 730 * 0.015, 6);
    expect(sum(fixedPrices([...aurora(6), proxy]).lines)).toBeCloseTo(12 * 730 * (0.12 + 0.015), 6);
    expect(sum(fixedPrices([instance(), proxy]).lines)).toBeCloseTo(730 * 0.032 + 11.5 + 2 * 730 * 0.015, 6);
  });

  test.each([
    ["db.t4g.micro", 2],
    ["db.t3.2xlarge", 8],
    ["db.m7g.large", 2],
    ["db.r6i.xlarge", 4],
    ["db.m5.24xlarge", 96],
    ["db.m7g.medium", undefined],
    ["db.x2g.large", undefined],
    ["db.m5.metal", undefined],
  ])("of a proxy for %s are for %s processors", (instanceClass, processors) => {
    const { lines, notPriced } = fixedPrices([instance({ instanceClass }), resource("aws:rds/proxy:Proxy")]);
    expect(lines.find(({ key }) => key === "rds.proxy")?.quantity).toBe(processors && processors * 730);
    const missing = notPriced.filter(({ of }) => of === "Proxy");
    expect(missing.map(({ reason }) => reason)).toEqual(
      processors ? [] : [`the number of processors of ${instanceClass} is not known`],
    );
  });

  test("count Lambda's requests to an empty queue: five pollers, three times a minute", () => {
    const { lines } = fixedPrices([resource("aws:lambda/eventSourceMapping:EventSourceMapping")]);
    expect(sum(lines)).toBeCloseTo(5 * 3 * 60 * 730 * 0.4e-6, 6);
  });

  test("list what is paid by use", () => {
    const keysOf = (type: string) =>
      fixedPrices([resource(type, { instanceClass: "db.serverless" })]).byUse.map(({ key }) => key);
    expect(keysOf("aws:rds/instance:Instance")).toEqual(["rds.backup", "log.ingested"]);
    expect(keysOf("aws:rds/cluster:Cluster")).toEqual(expect.arrayContaining(["aurora.backup", "log.ingested"]));
    expect(keysOf("aws:ec2/vpcEndpoint:VpcEndpoint")).toEqual(["vpc.endpointData"]);
    expect(keysOf("aws:kms/key:Key")).toEqual(["kms.rotation"]);
  });

  test.each([
    ["a type without a price", resource("aws:ec2/natGateway:NatGateway"), "does not have this type"],
    ["another provider's resource", resource("datadog:index/monitor:Monitor"), "does not have this type"],
    ["a class that is not in the table", instance({ instanceClass: "db.r8g.large" }), "rds.db.r8g.large"],
    ["other storage", instance({ storageType: "io2" }), "rds.io2"],
    [
      "an Aurora class",
      resource("aws:rds/clusterInstance:ClusterInstance", { instanceClass: "db.r7g.large" }),
      "no Aurora class db.r7g.large",
    ],
    [
      "an alarm of high resolution",
      resource("aws:cloudwatch/metricAlarm:MetricAlarm", { period: 10 }),
      "high resolution",
    ],
  ])("list %s as not priced", (_, one, reason) => {
    expect(fixedPrices([one]).notPriced).toEqual([
      expect.objectContaining({ reason: expect.stringContaining(reason) }),
    ]);
  });
});

const pool = (inputs = {}) =>
  resource("aws:cognito/userPool:UserPool", {
    userPoolTier: "ESSENTIALS",
    emailConfiguration: { emailSendingAccount: "COGNITO_DEFAULT" },
    lambdaConfig: { postConfirmation: "arn:aws:lambda:x:0:enqueue", postAuthentication: "arn:aws:lambda:x:0:register" },
    ...inputs,
  });
const lambda = (name: string, inputs = {}) =>
  resource("aws:lambda/function:Function", { memorySize: 512, architectures: ["arm64"], ...inputs }, name);
const mapping = resource("aws:lambda/eventSourceMapping:EventSourceMapping", {
  functionName: "arn:aws:lambda:x:0:register",
});

describe("1,000 sign-ups", () => {
  const perCall = 0.2e-6 + 0.1 * 0.5 * 0.0000133334;

  test("cost the users, and each call that Cognito makes", () => {
    const { lines, notPriced } = thousandSignUps([pool(), lambda("register"), lambda("enqueue"), lambda("other")]);
    expect(notPriced).toEqual([]);
    expect(sum(lines)).toBeCloseTo(15 + 2000 * perCall + 0.005 + 0.002, 6);
  });

  test("cost one call more, and messages, with a queue", () => {
    const found = thousandSignUps([pool(), lambda("register"), lambda("enqueue"), mapping]);
    expect(sum(found.lines)).toBeCloseTo(15 + 3000 * perCall + 3000 * 0.4e-6 + 0.005 + 0.003, 6);
  });

  test("cost mails where SES sends them", () => {
    const { lines } = thousandSignUps([
      pool({ lambdaConfig: {}, emailConfiguration: { emailSendingAccount: "DEVELOPER" } }),
    ]);
    expect(sum(lines)).toBeCloseTo(15.1, 6);
  });

  test("are not priced where the table has no such tier or processor", () => {
    const found = thousandSignUps([pool({ userPoolTier: "PLUS" }), lambda("register", { architectures: ["riscv"] })]);
    expect(found.notPriced.map(({ reason }) => reason)).toEqual([
      "the price table has no tier PLUS",
      "the price table has no lambda.riscv",
    ]);
  });
});

test("1,000 uploads cost requests, puts and a month's storage", () => {
  const found = thousandUploads([resource("aws:apigateway/restApi:RestApi"), resource("aws:s3/bucket:Bucket")]);
  expect(sum(found.lines)).toBeCloseTo(2000 * 3.5e-6 + 0.005 + 0.023, 6);
});

test("each price has its page, its source and its date; the source of a verified one is a URL", () => {
  for (const [key, price] of Object.entries(prices as Record<string, Price>)) {
    expect(price.usd, key).toBeGreaterThan(0);
    expect(price.page, key).toMatch(/^https:\/\/aws\.amazon\.com\/.+\/$/);
    expect(price.lookedUp, key).toMatch(/^\d{4}-\d\d-\d\d$/);
    expect(price.source, key).toMatch(price.verified ? /^https:\/\// : /./);
  }
});

/** Every stack of the project, and settings that add resources. */
const stackNames = readdirSync(projectRoot).flatMap((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1] ?? []);
const variations: [string, string[]][] = [
  ...stackNames.map((stack): [string, string[]] => [stack, []]),
  ["dev", ["registration.buffer=true", "secret.rotationDays=30", "alarms.email=ops@example.com"]],
  ["dev", ["database.kind=aurora", "database.proxy=true"]],
  ["dev", ["database.proxy=true"]],
];

test.each(variations)("every resource of %s with %j has a price or is known to be free", async (stack, overrides) => {
  const { evaluateStack } = loadNatively<typeof stacks>("operations/cost/stack.ts");
  const values = stackConfig(projectRoot, stack, overrides);
  const resources = await withoutStackTraces(() => evaluateStack(stack, values));
  const { notPriced, lines } = fixedPrices(resources);
  expect([notPriced, thousandSignUps(resources).notPriced]).toEqual([[], []]);
  // At least a database, the endpoint of Secrets Manager in two zones, the secret, the alarms' key and a dashboard.
  expect(sum(lines)).toBeGreaterThan(0.016 * 730 + 14.6 + 0.4 + 1 + 3);
  // More than the user pool's price: the triggers' functions were found.
  expect(sum(thousandSignUps(resources).lines)).toBeGreaterThan(15.002);
  expect(sum(thousandUploads(resources).lines)).toBeCloseTo(0.035, 6);
});

describe("npm run cost", () => {
  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(projectRoot, "operations/cost.cjs"), ...args],
      {
        encoding: "utf8",
      },
    );
    return { status, stdout, stderr };
  };

  test("lists and adds up the prices, and marks unverified ones", () => {
    const { status, stdout, stderr } = run("--stack", "dev");
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/database: db\.t4g\.micro +730 × 0\.016\/hour +11\.68 {2}unverified/);
    expect(stdout).toMatch(/database: storage gp3 +20 × 0\.115\/GB-month +2\.30$/m);
    expect(stdout).toMatch(/total a month: \d+\.\d\d USD, of it 15\.33 unverified/);
    expect(stdout).not.toContain("Not priced");
  });

  test("prints the same as JSON", () => {
    const { stdout } = run("--stack", "dev", "--set", "database.instanceClass=db.r8g.large", "--json");
    const { fixedPerMonth, notPriced } = JSON.parse(stdout);
    expect(notPriced).toEqual([expect.objectContaining({ of: "database", reason: expect.stringContaining("r8g") })]);
    expect(fixedPerMonth.total).toBeCloseTo(sum(fixedPerMonth.lines), 6);
    expect(fixedPerMonth.unverified).toBeCloseTo(3.65, 6);
  });

  test.each([
    [["--stack", "nowhere"], 'There is no stack "nowhere": Pulumi.nowhere.yaml is missing. Stacks here: '],
    [["--stack", "../dev"], "There is no stack"],
    [[], "Say which stack: --stack NAME."],
    [["--stack", ""], "Say which stack: --stack NAME."],
    [["dev"], "Unexpected argument 'dev'"],
    [["--stack", "dev", "--set", "aws:region=eu-west-1"], "eu-west-1, which is not in the price table"],
    [["--stack", "dev", "--set", "database.backupDays=99"], "database.backupDays: got 99; allowed is"],
    [
      ["--stack", "prod", "--set", "database.kind=aurora"],
      "--set database.instanceClass=db.t4g.micro --set database.storageGiB=20 --set database.multiAz=false",
    ],
  ])("says in a sentence what is wrong with %j", (args, sentence) => {
    const { status, stdout, stderr } = run(...args);
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(sentence);
    expect(stderr).not.toContain("    at ");
  });
});
