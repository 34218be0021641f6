import { describe, expect, it } from "vitest";
import type * as config from "../../infra/config";
import type * as limits from "../../infra/database/connectionLimit";
import { loadNatively } from "../support/native";
import { devConfig } from "../support/program";

const { auroraConnectionLimit, connectionLimit, keptConnections, nearLimit, proxyPercent } = loadNatively<
  typeof limits
>("infra/database/connectionLimit.ts");
const { ConfigError, parseConfig } = loadNatively<typeof config>("infra/config/index.ts");

const GiB = 2 ** 30;

describe("the default max_connections of an instance class", () => {
  // Values of SHOW VARIABLES on such instances (tritoneco.com, 2015; the formula has not changed since).
  it.each([
    ["db.t2.micro", 66],
    ["db.t2.small", 150],
    ["db.t2.medium", 312],
    ["db.t2.large", 648],
  ])("of %s is at most the measured %i, and at least 88 in 100 of it", (instanceClass, measured) => {
    const limit = connectionLimit(instanceClass)!;
    expect(limit).toBeLessThanOrEqual(measured);
    expect(limit).toBeGreaterThan(measured * 0.88);
  });

  it.each([
    ["db.t4g.micro", 1],
    ["db.t4g.medium", 4],
    ["db.t3.xlarge", 16],
    ["db.m6g.large", 8],
    ["db.m7i.xlarge", 16],
    ["db.m8g.4xlarge", 64],
    ["db.r6gd.large", 16],
    ["db.r7g.16xlarge", 512],
  ])("of %s is that of %i GiB, minus the memory of the system", (instanceClass, memory) => {
    const whole = (memory * GiB) / 12_582_880;
    expect(connectionLimit(instanceClass)).toBeLessThan(whole * 0.95);
    expect(connectionLimit(instanceClass)).toBeGreaterThan(whole * 0.95 - 23);
  });

  it.each([
    "db.serverless",
    "db.m4.large",
    "db.t4g.nano",
    "db.m5.metal",
    "db.x2g.large",
    "db.t4g.constructor",
    "t3.micro",
  ])("of %s is not known", (instanceClass) => {
    expect(connectionLimit(instanceClass)).toBeUndefined();
  });
});

describe("the default max_connections of Aurora", () => {
  it.each([
    [2, 45],
    [3, 45],
    [8, 135],
    [15, 135],
    [16, 1000],
    [512, 5000],
  ])("with up to %i GiB is at least %i", (memory, connections) => {
    expect(auroraConnectionLimit(memory)).toBe(connections);
  });
});

describe("registration.reservedConcurrency", () => {
  const configuredWith = (reservedConcurrency: number, more: object) => {
    const database = JSON.stringify({ ...JSON.parse(devConfig["ecommerce:database"]!), ...more });
    const registration = JSON.stringify({ reservedConcurrency });
    const values = { ...devConfig, "ecommerce:database": database, "ecommerce:registration": registration };
    return parseConfig(values, "ecommerce", "dev")["registration.reservedConcurrency"];
  };
  const configured = (concurrency: number, instanceClass: string) => configuredWith(concurrency, { instanceClass });
  const most = connectionLimit("db.t4g.micro")! - keptConnections;

  it("may be the class's connections minus those for RDS and operators, and no more", () => {
    expect(configured(most, "db.t4g.micro")).toBe(most);
    expect(() => configured(most + 1, "db.t4g.micro")).toThrow(ConfigError);
  });

  it("is refused above that, with both keys, both numbers and what to do", () => {
    expect(() => configured(80, "db.t4g.micro")).toThrow(
      "ecommerce:registration.reservedConcurrency: got 80; allowed is at most 47 with " +
        "ecommerce:database.instanceClass db.t4g.micro, which takes about 59 connections, 12 of them kept for RDS, " +
        "deployments and repairs; reserve less or take a larger one",
    );
  });

  it("is accepted with a larger class, with an unknown class, and if nothing is reserved", () => {
    expect(configured(80, "db.t4g.small")).toBe(80);
    expect(configured(1000, "db.x2g.large")).toBe(1000);
    expect(configured(0, "db.t4g.micro")).toBe(0);
  });

  it("may be the connections of Aurora's largest capacity minus those for RDS and operators", () => {
    const aurora = (concurrency: number) => configuredWith(concurrency, { kind: "aurora", maxMemoryGiB: 4 });
    expect(aurora(90 - keptConnections)).toBe(78);
    expect(() => aurora(79)).toThrow(
      "ecommerce:registration.reservedConcurrency: got 79; allowed is at most 78 with ecommerce:database.maxMemoryGiB 4",
    );
  });

  it("may be the proxy's share of the connections, since a session that prepares statements keeps its connection", () => {
    const proxy = (concurrency: number) => configuredWith(concurrency, { proxy: true });
    const share = Math.floor((connectionLimit("db.t4g.micro")! * proxyPercent) / 100);
    expect(proxy(share)).toBe(44);
    expect(() => proxy(share + 1)).toThrow(/at most 44 with .*of which RDS Proxy may open 75 in 100/);
  });

  it("leaves enough connections for RDS and operators beside the proxy's share on the smallest database", () => {
    const smallest = connectionLimit("db.t4g.micro")!;
    expect(smallest - Math.floor((smallest * proxyPercent) / 100)).toBeGreaterThanOrEqual(keptConnections);
  });

  it("does not ring the alarm for connections at its maximum", () => {
    expect(most + 2).toBeLessThan(nearLimit(connectionLimit("db.t4g.micro")!));
  });
});
