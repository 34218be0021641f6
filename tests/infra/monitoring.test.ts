/** The alarms, who hears of them, the dashboard, and the runbook that goes with them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import * as queueErrors from "../../functions/enqueueUser/errors";
import * as errors from "../../functions/registerUser/errors";
import * as rotationErrors from "../../functions/rotateSecret/errors";
import * as sharedErrors from "../../functions/shared/errors";
import type * as alarms from "../../infra/alarms";
import type * as config from "../../infra/config";
import type * as dashboards from "../../infra/dashboard";
import type * as metrics from "../../infra/registrationMetrics";
import type { Watched } from "../../infra/watched";
import { faultsOf } from "../support/faults";
import { loadNatively, projectRoot } from "../support/native";
import { arnOf, devConfig, idOf, type Recorded, recordProgram } from "../support/program";

const { alarmsOf, waitingSeconds } = loadNatively<typeof alarms>("infra/alarms.ts");
const { dashboardBody } = loadNatively<typeof dashboards>("infra/dashboard.ts");
const { registrationMetrics, rotationMetrics } = loadNatively<typeof metrics>("infra/registrationMetrics.ts");
const { ConfigError, parseConfig } = loadNatively<typeof config>("infra/config.ts");

const instance = { identifier: "database-1", instanceClass: "db.t4g.micro", storageGiB: 20 };
const watched = {
  namespace: "Ecommerce/dev",
  functionName: "register-user-1a2b3c4",
  database: instance,
  apiName: "ecommerce-api-for-s3",
  apiStage: "v1",
  rotated: false,
};
const withBuffer = { ...watched, queueingFunctionName: "enqueue", queueName: "queue", deadLetterQueueName: "dead" };
const withAll = { ...withBuffer, proxyName: "proxy-1", rotated: true };
const onAurora = { ...watched, database: { kind: "aurora", identifier: "cluster-1", connectionLimit: 90 } } as const;
const keys = (of: Watched) => alarmsOf(of).map(({ key }) => key);

const type = {
  alarm: "aws:cloudwatch/metricAlarm:MetricAlarm",
  filter: "aws:cloudwatch/logMetricFilter:LogMetricFilter",
  dashboard: "aws:cloudwatch/dashboard:Dashboard",
  topic: "aws:sns/topic:Topic",
  topicPolicy: "aws:sns/topicPolicy:TopicPolicy",
  subscription: "aws:sns/topicSubscription:TopicSubscription",
  key: "aws:kms/key:Key",
} as const;

let program: Recorded;
beforeAll(async () => {
  program = await recordProgram({ "ecommerce:alarms": '{"email":"oncall@example.com"}' });
});

describe("alarms", () => {
  it("ring the topic, say that it is over, carry the stack's name, and name their section of the runbook", () => {
    const topic = arnOf(program.one(type.topic));
    const registered = program.all(type.alarm).map(({ inputs }) => inputs);
    expect(registered.map(({ name }) => name).toSorted()).toEqual(
      keys(watched)
        .map((key) => `ecommerce-dev-${key}`)
        .toSorted(),
    );
    for (const { name, alarmActions, okActions, alarmDescription } of registered) {
      expect([alarmActions, okActions]).toEqual([[topic], [topic]]);
      expect(alarmDescription).toMatch(/^[A-Z].+\. What to do: docs\/runbook\.md#[a-z-]+$/);
      expect(String(name).endsWith(String(alarmDescription).split("#")[1]!)).toBe(true);
    }
  });

  it.each([
    ["registration-failures", ">= 1", "Sum of RegistrationFailures in 1 x 300 s", "notBreaching"],
    ["registration-crashes", ">= 1", "Sum of RegistrationCrashes in 1 x 300 s", "notBreaching"],
    ["registration-throttling", ">= 1", "Sum of Throttles in 1 x 300 s", "notBreaching"],
    ["slow-registrations", ">= 4000", "Maximum of Duration in 1 x 300 s", "notBreaching"],
    ["late-registration-failures", ">= 5", "Sum of LateRegistrationFailures in 1 x 900 s", "notBreaching"],
    ["email-conflicts", ">= 1", "Sum of EmailConflicts in 1 x 300 s", "notBreaching"],
    ["database-silent", "< 1", "SampleCount of DatabaseConnections in 3 x 300 s", "breaching"],
    ["database-connections", ">= 50", "Maximum of DatabaseConnections in 1 x 300 s", "missing"],
    ["database-storage", "< 1073741824", "Minimum of FreeStorageSpace in 3 x 300 s", "missing"],
    ["database-cpu-credits", "< 10", "Maximum of CPUCreditBalance in 3 x 3600 s", "missing"],
    ["image-api-errors", ">= 5", "Sum of 5XXError in 1 x 300 s", "notBreaching"],
  ])("%s: %s as the %s; no data is %s", (key, condition, what, missing) => {
    const alarm = program.one(type.alarm, `monitoring-${key}`).inputs;
    const signs = { GreaterThanOrEqualToThreshold: ">=", LessThanThreshold: "<" } as Record<string, string>;
    expect(`${signs[String(alarm.comparisonOperator)]} ${alarm.threshold}`).toBe(condition);
    expect(`${alarm.statistic} of ${alarm.metricName} in ${alarm.evaluationPeriods} x ${alarm.period} s`).toBe(what);
    expect(alarm.treatMissingData).toBe(missing);
    expect(Number(alarm.evaluationPeriods) * Number(alarm.period)).toBeLessThanOrEqual(86_400);
  });

  it("watch what this program deploys", () => {
    const names = {
      FunctionName: program.one("aws:lambda/function:Function", "register-user").name,
      DBInstanceIdentifier: "database-1",
      ApiName: program.one("aws:apigateway/restApi:RestApi").inputs.name,
      Stage: program.one("aws:apigateway/stage:Stage").inputs.stageName,
    };
    const dimensions = program.all(type.alarm).map(({ inputs }) => inputs.dimensions as object);
    expect(Object.assign({}, ...dimensions)).toEqual(names);
  });

  it("leave out what cannot be watched", () => {
    expect(keys({ ...watched, database: { ...instance, instanceClass: "db.x2g.large" } })).toEqual(
      keys(watched).filter((key) => key !== "database-connections" && key !== "database-cpu-credits"),
    );
  });

  it("come with the buffer, with rotation and with the proxy, where there are any", () => {
    const added = alarmsOf(withAll).filter(({ key }) => !keys(watched).includes(key));
    expect(added).toMatchObject([
      {
        key: "confirmation-throttling",
        metric: { namespace: "AWS/Lambda", name: "Throttles", dimensions: { FunctionName: "enqueue" } },
        statistic: "Sum",
        threshold: 1,
        missing: "notBreaching",
      },
      {
        key: "registrations-waiting",
        metric: {
          namespace: "AWS/SQS",
          name: "ApproximateAgeOfOldestMessage",
          dimensions: { QueueName: "queue" },
        },
        statistic: "Maximum",
        threshold: 300,
        missing: "notBreaching",
      },
      {
        key: "dead-letters",
        metric: { namespace: "AWS/SQS", dimensions: { QueueName: "dead" } },
        threshold: 1,
        missing: "ignore",
      },
      {
        key: "rotation-failures",
        metric: { namespace: "Ecommerce/dev", name: "RotationFailures", dimensions: {} },
        statistic: "Sum",
        threshold: 1,
        period: 3600,
        missing: "notBreaching",
      },
      {
        key: "proxy-waiting",
        metric: {
          namespace: "AWS/RDS",
          name: "DatabaseConnectionsBorrowLatency",
          dimensions: { ProxyName: "proxy-1" },
        },
        statistic: "Maximum",
        rings: "at or above",
        threshold: 1_000_000,
        missing: "notBreaching",
      },
    ]);
  });

  it("time the function that confirmations wait for, and not the batches of a queue", async () => {
    const timed = async (registration: string) => {
      const recorded = await recordProgram({ "ecommerce:registration": registration });
      const { lambdaConfig } = recorded.one("aws:cognito/userPool:UserPool").inputs as any;
      const dimensions = (key: string) =>
        recorded.all(type.alarm).find(({ name }) => name === `monitoring-${key}`)?.inputs.dimensions as any;
      return {
        called: String(lambdaConfig.postConfirmation).split(":").at(-1),
        slow: dimensions("slow-registrations").FunctionName,
        throttled: dimensions("registration-throttling").FunctionName,
        confirmations: dimensions("confirmation-throttling")?.FunctionName,
      };
    };
    const register = { called: "register-user", slow: "register-user", throttled: "register-user" };
    expect(await timed("{}")).toEqual(register);
    const enqueue = "registration-buffer-enqueue";
    expect(await timed('{"buffer":true}')).toEqual({
      ...register,
      ...{ called: enqueue, slow: enqueue, confirmations: enqueue },
    });
  });

  it("ring before registrations have used up the proxy's share of the connections, and wait for none", async () => {
    const recorded = await recordProgram({ "ecommerce:database.proxy": "true" });
    const { maxConnectionsPercent, connectionBorrowTimeout } = recorded.one(
      "aws:rds/proxyDefaultTargetGroup:ProxyDefaultTargetGroup",
    ).inputs.connectionPoolConfig as any;
    const alarm = (key: string) => recorded.one(type.alarm, `monitoring-${key}`).inputs;
    // 59 connections, as the class takes them.
    expect(alarm("database-connections").threshold).toBe(37);
    expect(Number(alarm("database-connections").threshold)).toBeLessThan((59 * maxConnectionsPercent) / 100);
    expect(alarm("proxy-waiting").dimensions).toEqual({ ProxyName: recorded.one("aws:rds/proxy:Proxy").name });
    expect(Number(alarm("proxy-waiting").threshold)).toBeLessThan(connectionBorrowTimeout * 1e6);
  });

  it("take an untried message for waiting long after it would have been tried three times", async () => {
    const program = await recordProgram({ "ecommerce:registration": '{"buffer":true}' });
    const { visibilityTimeoutSeconds } = program.one("aws:sqs/queue:Queue", "registration-buffer-queue").inputs;
    expect(waitingSeconds).toBeGreaterThan(4 * Number(visibilityTimeoutSeconds));
  });

  it("watch what Aurora reports, by its cluster, and not what only an instance does", () => {
    const [onlyInstance, onlyAurora] = [
      ["database-storage", "database-cpu-credits"],
      [
        {
          key: "database-capacity",
          metric: { namespace: "AWS/RDS", name: "ACUUtilization", dimensions: { DBClusterIdentifier: "cluster-1" } },
          statistic: "Minimum",
          rings: "at or above",
          threshold: 95,
          period: 300,
          periods: 3,
        },
      ],
    ];
    expect(alarmsOf(onAurora).filter(({ key }) => !keys(watched).includes(key))).toMatchObject(onlyAurora);
    expect(keys(watched).filter((key) => !keys(onAurora).includes(key))).toEqual(onlyInstance);
    const ofDatabase = alarmsOf(onAurora).filter(({ metric }) => metric.namespace === "AWS/RDS");
    for (const { metric } of ofDatabase) expect(metric.dimensions).toEqual({ DBClusterIdentifier: "cluster-1" });
    expect(ofDatabase.find(({ key }) => key === "database-connections")?.threshold).toBe(76);
  });

  it("watch the configured sizes", async () => {
    const database = JSON.stringify({
      ...JSON.parse(devConfig["ecommerce:database"]!),
      instanceClass: "db.m7g.large",
      storageGiB: 100,
    });
    const larger = await recordProgram({ "ecommerce:database": database }, "staging");
    expect(larger.one(type.alarm, "monitoring-database-storage").inputs.threshold).toBe(5 * 2 ** 30);
    expect(larger.one(type.alarm, "monitoring-database-connections").inputs.threshold).toBe(532);
    expect(larger.all(type.alarm).map(({ inputs }) => inputs.name)).not.toContain(
      "ecommerce-staging-database-cpu-credits",
    );
    expect(larger.one(type.filter, "monitoring-EmailConflicts").inputs.metricTransformation).toMatchObject({
      namespace: "Ecommerce/staging",
    });
  });
});

describe("metric filters", () => {
  it("stand on the function's log group and count in the stack's namespace, without dimensions", () => {
    const logGroup = program.one("aws:cloudwatch/logGroup:LogGroup", "register-user-logs");
    const filters = program.all(type.filter).map(({ inputs }) => inputs);
    expect(filters.map(({ pattern }) => pattern)).toEqual(Object.values(registrationMetrics));
    for (const { logGroupName, metricTransformation } of filters) {
      expect(logGroupName).toBe(logGroup.name);
      expect(metricTransformation).toEqual({
        namespace: "Ecommerce/dev",
        name: expect.any(String),
        value: "1",
        unit: "Count",
      });
    }
  });

  it("stay within CloudWatch's 1,024 characters", () => {
    const patterns = Object.values({ ...registrationMetrics, ...rotationMetrics });
    for (const pattern of patterns) expect(pattern.length).toBeLessThanOrEqual(1024);
  });

  it("make every metric that an alarm or the dashboard takes from the stack's namespace, and no other", () => {
    const filtered = new Set(Object.keys({ ...registrationMetrics, ...rotationMetrics }));
    const rung = alarmsOf(withAll).map(({ metric }) => metric);
    const own = rung.filter(({ namespace }) => namespace === "Ecommerce/dev").map(({ name }) => name);
    expect(own.filter((name) => !filtered.has(name))).toEqual([]);
    const body = String(program.one(type.dashboard).inputs.dashboardBody);
    const drawn = [...body.matchAll(/"Ecommerce\/dev","(\w+)"/g)].map(([, name]) => name!);
    expect(new Set([...own, ...drawn])).toEqual(filtered);
  });
});

describe("the topic", () => {
  const policyOf = (inputs: Record<string, unknown>) => JSON.parse(String(inputs.policy)).Statement;
  const account = "000000000000";
  const alarmsOnly = {
    Effect: "Allow",
    Principal: { Service: "cloudwatch.amazonaws.com" },
    Condition: {
      StringEquals: { "aws:SourceAccount": account },
      ArnLike: { "aws:SourceArn": `arn:aws:cloudwatch:us-east-1:${account}:alarm:*` },
    },
  };

  const encrypt = { Action: ["kms:Decrypt", "kms:GenerateDataKey*"], Resource: "*" };

  it("is encrypted with a key that alarms may use: not with AWS's own for SNS, which they may not", () => {
    const key = program.one(type.key);
    expect(program.one(type.topic).inputs).toMatchObject({
      name: "ecommerce-dev-alarms",
      kmsMasterKeyId: idOf(key),
    });
    expect(key.inputs.enableKeyRotation).toBe(true);
    expect(policyOf(key.inputs)).toEqual([
      {
        Sid: "TheAccountDecides",
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${account}:root` },
        Action: "kms:*",
        Resource: "*",
      },
      { Sid: "AlarmsEncrypt", ...alarmsOnly, ...encrypt },
      { Sid: "DatabasesEncrypt", Effect: "Allow", Principal: { Service: "events.rds.amazonaws.com" }, ...encrypt },
    ]);
  });

  it("takes messages from the alarms and databases of this account and region, and from nothing else", () => {
    const topic = arnOf(program.one(type.topic));
    const { inputs } = program.one(type.topicPolicy);
    expect(inputs.arn).toBe(topic);
    const publish = { Effect: "Allow", Action: "sns:Publish", Resource: topic };
    expect(policyOf(inputs)).toEqual([
      { Sid: "AlarmsPublish", ...alarmsOnly, ...publish },
      {
        Sid: "DatabasesPublish",
        ...publish,
        Principal: { Service: "events.rds.amazonaws.com" },
        Condition: {
          StringEquals: { "aws:SourceAccount": account },
          ArnLike: { "aws:SourceArn": `arn:aws:rds:us-east-1:${account}:*` },
        },
      },
    ]);
  });

  it("hears of RDS when an instance's storage runs low or cannot grow, whatever size it has by now", async () => {
    const ofRds = "aws:rds/eventSubscription:EventSubscription";
    expect(program.one(ofRds).inputs).toEqual({
      snsTopic: arnOf(program.one(type.topic)),
      sourceType: "db-instance",
      sourceIds: ["database-1"],
      eventCategories: ["low storage", "failure"],
    });
    // Aurora's storage grows by itself.
    expect((await recordProgram({ "ecommerce:database.kind": "aurora" })).all(ofRds)).toEqual([]);
  });

  it("mails the configured address, and nobody by default", async () => {
    expect(program.one(type.subscription).inputs).toEqual({
      topic: arnOf(program.one(type.topic)),
      protocol: "email",
      endpoint: "oncall@example.com",
    });
    expect((await recordProgram()).all(type.subscription)).toEqual([]);
  });

  it.each([
    "oncall",
    "on call@example.com",
    "a@b",
    "a@b..com",
    "<a@example.com>",
    "a@example.com\nb",
    `${"a".repeat(250)}@b.example`,
  ])("is not offered %j as an address", (email) => {
    const values = { ...devConfig, "ecommerce:alarms": JSON.stringify({ email }) };
    expect(() => parseConfig(values, "ecommerce", "dev")).toThrow(ConfigError);
  });
});

describe("the dashboard", () => {
  const alarmArns = ["arn:aws:cloudwatch:us-east-1:111122223333:alarm:one"];
  const args = {
    region: "us-east-1",
    stack: "dev",
    logGroupName: "register-user-logs-1",
    watched: withBuffer,
    alarmArns,
  };

  it("draws this", () => {
    expect(JSON.stringify(dashboardBody(args), null, 2)).toMatchSnapshot();
    expect(JSON.stringify(dashboardBody({ ...args, watched: onAurora }), null, 2)).toMatchSnapshot("on Aurora");
    const behindProxy = { ...watched, proxyName: "proxy-1" };
    expect(JSON.stringify(dashboardBody({ ...args, watched: behindProxy }), null, 2)).toMatchSnapshot("behind a proxy");
  });

  it("shows every alarm's state, and every metric that rings one but the few that only ring", () => {
    const { inputs } = program.one(type.dashboard);
    const body = JSON.parse(String(inputs.dashboardBody));
    expect(inputs.dashboardName).toBe("ecommerce-dev");
    expect(body.widgets[0].properties.alarms.toSorted()).toEqual(program.all(type.alarm).map(arnOf).toSorted());
    const drawn = JSON.stringify(dashboardBody({ ...args, watched: withAll }));
    const hidden = alarmsOf(withAll).filter(({ metric }) => !drawn.includes(`"${metric.name}"`));
    expect(hidden.map(({ key }) => key)).toEqual(["rotation-failures", "database-cpu-credits"]);
  });

  it("places nothing upon something else", () => {
    const { widgets } = dashboardBody(args);
    const cells = widgets.flatMap(({ x, y, width, height }) =>
      Array.from({ length: width * height }, (_, cell) => `${x + (cell % width)},${y + Math.floor(cell / width)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(Math.max(...widgets.map(({ x, width }) => x + width))).toBe(24);
  });
});

describe("docs/runbook.md", () => {
  const runbook = readFileSync(join(projectRoot, "docs/runbook.md"), "utf8");
  const [, ...sections] = runbook.slice(runbook.indexOf("\n## Alarms")).split("\n### ");
  /** A heading's anchor, as GitHub makes it. */
  const anchor = (heading: string) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, "")
      .replaceAll(" ", "-");
  const anchors = sections.map((section) => anchor(section.split("\n")[0]!));
  const sectionOf = (key: string) => sections[anchors.indexOf(key)];

  it("has a section for each alarm, and an alarm for each section", () => {
    const all = new Set([...keys(withAll), ...keys(onAurora)]);
    expect(anchors.toSorted()).toEqual([...all].toSorted());
  });

  it("says in each what it means for people, where to look, what to do, and when it is over", () => {
    for (const section of sections) {
      const parts = [...section.matchAll(/^\*\*(For people|Look|Do|Over)\*\*/gm)].map(([, part]) => part);
      expect(parts, section.split("\n")[0]).toEqual(["For people", "Look", "Do", "Over"]);
    }
  });

  it.each([
    ["registration", { ...errors, ...sharedErrors }, "registration-failures"],
    ["queueing", { ...queueErrors, ...sharedErrors }, "registration-failures"],
    ["rotation", rotationErrors, "rotation-failures"],
  ] as const)("names every code that the %s function logs", (_, all, section) => {
    const codes = faultsOf(all).map(({ code }) => code);
    expect(codes.length).toBeGreaterThan(1);
    for (const code of codes) expect(sectionOf(section)).toContain(`\`${code}\``);
  });

  it("leads nowhere that is not there: sections, configuration keys", () => {
    for (const [, to] of runbook.matchAll(/\]\(#([^)]+)\)/g)) expect(anchors).toContain(to);
    const declared = readFileSync(join(projectRoot, "Pulumi.yaml"), "utf8");
    const named = [...runbook.matchAll(/`((?:database|registration|api|alarms)\.\w+)`/g)].map(([, key]) => key!);
    for (const key of named) expect(declared).toContain(`  ${key}:`);
  });
});
