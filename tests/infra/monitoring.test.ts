/** Metric filters, topic and dashboard. */
import { beforeAll, describe, expect, it } from "vitest";
import type * as config from "../../infra/config";
import type * as alarms from "../../infra/monitoring/alarms";
import type * as dashboards from "../../infra/monitoring/dashboard";
import type * as metrics from "../../infra/monitoring/logMetrics";
import { loadNatively } from "../support/native";
import { arnOf, devConfig, idOf, type Recorded, recordProgram } from "../support/program";
import { onAurora, type, watched, withAll, withBuffer } from "./watchedStack";

const { alarmsOf } = loadNatively<typeof alarms>("infra/monitoring/alarms.ts");
const { dashboardBody } = loadNatively<typeof dashboards>("infra/monitoring/dashboard.ts");
const { registrationMetrics, rotationMetrics } = loadNatively<typeof metrics>("infra/monitoring/logMetrics.ts");
const { ConfigError, parseConfig } = loadNatively<typeof config>("infra/config/index.ts");

let program: Recorded;
beforeAll(async () => {
  program = await recordProgram({ "ecommerce:alarms": '{"email":"oncall@example.com"}' });
});

describe("metric filters", () => {
  it("read the function's log group and count in the stack's namespace, without dimensions", () => {
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

  it("produce exactly the metrics of the stack's namespace that alarms and dashboard use", () => {
    const filtered = new Set(Object.keys({ ...registrationMetrics, ...rotationMetrics }));
    const watchedMetrics = alarmsOf(withAll).map(({ metric }) => metric);
    const own = watchedMetrics.filter(({ namespace }) => namespace === "Ecommerce/dev").map(({ name }) => name);
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

  it("is encrypted with a customer managed key, which alarms can use, unlike the AWS managed key of SNS", () => {
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
      {
        Sid: "AlarmsEncrypt",
        Effect: "Allow",
        Principal: alarmsOnly.Principal,
        Condition: { StringEquals: { "aws:SourceAccount": account } },
        ...encrypt,
      },
      { Sid: "DatabasesEncrypt", Effect: "Allow", Principal: { Service: "events.rds.amazonaws.com" }, ...encrypt },
    ]);
  });

  it("accepts messages only from the alarms and databases of this account and region", () => {
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

  it("gets RDS's events when an instance's storage runs low or cannot grow", async () => {
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

  it("has a subscription for the configured address, and none by default", async () => {
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
  ])("does not accept %j as an address", (email) => {
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
    const withProxy = { ...watched, proxyName: "proxy-1" };
    expect(JSON.stringify(dashboardBody({ ...args, watched: withProxy }), null, 2)).toMatchSnapshot("behind a proxy");
  });

  it("shows every alarm's state, and every alarm's metric except two", () => {
    const { inputs } = program.one(type.dashboard);
    const body = JSON.parse(String(inputs.dashboardBody));
    expect(inputs.dashboardName).toBe("ecommerce-dev");
    expect(body.widgets[0].properties.alarms.toSorted()).toEqual(program.all(type.alarm).map(arnOf).toSorted());
    const drawn = JSON.stringify(dashboardBody({ ...args, watched: withAll }));
    const hidden = alarmsOf(withAll).filter(({ metric }) => !drawn.includes(`"${metric.name}"`));
    expect(hidden.map(({ key }) => key)).toEqual(["rotation-failures", "database-cpu-credits"]);
  });

  it("places widgets without overlap", () => {
    const { widgets } = dashboardBody(args);
    const cells = widgets.flatMap(({ x, y, width, height }) =>
      Array.from({ length: width * height }, (_, cell) => `${x + (cell % width)},${y + Math.floor(cell / width)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(Math.max(...widgets.map(({ x, width }) => x + width))).toBe(24);
  });
});
