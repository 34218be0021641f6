/** The alarms: their metrics, thresholds and actions. */
import { beforeAll, describe, expect, it } from "vitest";
import type * as alarms from "../../infra/monitoring/alarms";
import { loadNatively } from "../support/native";
import { arnOf, devConfig, type Recorded, recordProgram } from "../support/program";
import { instance, keys, onAurora, type, watched, withAll } from "./watchedStack";

const { alarmsOf, waitingSeconds } = loadNatively<typeof alarms>("infra/monitoring/alarms.ts");

let program: Recorded;
beforeAll(async () => {
  program = await recordProgram({ "ecommerce:alarms": '{"email":"oncall@example.com"}' });
});

describe("alarms", () => {
  it("publish to the topic when they ring and when it is over, and name the stack and their section of the runbook", () => {
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

  it("have the dimensions of the resources that this program deploys", () => {
    const names = {
      FunctionName: program.one("aws:lambda/function:Function", "register-user").name,
      DBInstanceIdentifier: "database-1",
      ApiName: program.one("aws:apigateway/restApi:RestApi").inputs.name,
      Stage: program.one("aws:apigateway/stage:Stage").inputs.stageName,
    };
    const dimensions = program.all(type.alarm).map(({ inputs }) => inputs.dimensions as object);
    expect(Object.assign({}, ...dimensions)).toEqual(names);
  });

  it("are left out for connections and CPU credits if the instance class has no known values", () => {
    expect(keys({ ...watched, database: { ...instance, instanceClass: "db.x2g.large" } })).toEqual(
      keys(watched).filter((key) => key !== "database-connections" && key !== "database-cpu-credits"),
    );
  });

  it("include those for buffer, rotation and proxy if the stack has them", () => {
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

  it("measure the duration of the function that confirmations wait for, not of the batches of a queue", async () => {
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

  it("ring before the proxy's share of the connections is used up, and before the proxy refuses a connection", async () => {
    const recorded = await recordProgram({ "ecommerce:database.proxy": "true" });
    const { maxConnectionsPercent, connectionBorrowTimeout } = recorded.one(
      "aws:rds/proxyDefaultTargetGroup:ProxyDefaultTargetGroup",
    ).inputs.connectionPoolConfig as any;
    const alarm = (key: string) => recorded.one(type.alarm, `monitoring-${key}`).inputs;
    // The class accepts 59 connections.
    expect(alarm("database-connections").threshold).toBe(37);
    expect(Number(alarm("database-connections").threshold)).toBeLessThan((59 * maxConnectionsPercent) / 100);
    expect(alarm("proxy-waiting").dimensions).toEqual({ ProxyName: recorded.one("aws:rds/proxy:Proxy").inputs.name });
    expect(Number(alarm("proxy-waiting").threshold)).toBeLessThan(connectionBorrowTimeout * 1e6);
  });

  it("ring for the oldest message only when it is older than three failed receives would take", async () => {
    const program = await recordProgram({ "ecommerce:registration": '{"buffer":true}' });
    const { visibilityTimeoutSeconds } = program.one("aws:sqs/queue:Queue", "registration-buffer-queue").inputs;
    expect(waitingSeconds).toBeGreaterThan(4 * Number(visibilityTimeoutSeconds));
  });

  it("use Aurora's metrics of the cluster, without those that only an instance has", () => {
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

  it("have thresholds for the configured sizes, and the stack's names", async () => {
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
