/** What makes, carries and shows the alarms: metric filters, topic, dashboard. */
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
