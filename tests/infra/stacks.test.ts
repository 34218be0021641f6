/** The three stacks with their configuration files: different names in one account, and protection in prod. */
import { afterEach, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { type Registration, registrations } from "../support/registrations";

const stacks = ["dev", "staging", "prod"] as const;
const registered = {} as Record<(typeof stacks)[number], Registration[]>;
beforeAll(async () => {
  for (const stack of stacks) registered[stack] = await registrations(stack);
});

/** Types with data that cannot be recreated. */
const holders =
  /^aws:(rds\/(instance|cluster|clusterInstance)|cognito\/userPool|s3\/bucket|secretsmanager\/secret|sqs\/queue):/;
const holdersOf = (all: readonly Registration[]) => all.filter(({ type }) => holders.test(type));
const one = (all: readonly Registration[], type: string) => all.find((resource) => resource.type === type)!;

describe("names on AWS", () => {
  /** Inputs that are names on AWS; only those that the program sets, not Pulumi's generated names. */
  const fields = ["name", "bucket", "domain", "dashboardName", "finalSnapshotIdentifier", "identifier"] as const;
  /** Types whose names must be unique only within a resource of the stack, or not at all. */
  const scopedTypes = [
    "aws:cognito/userPool:", // by its ID
    "aws:cognito/userPoolClient:", // of the pool
    "aws:cognito/resourceServer:", // of the pool
    "aws:apigateway/authorizer:", // of the API
    "aws:iam/rolePolicy:", // of the role
    "aws:cloudwatch/logMetricFilter:", // of the log group
    "mysql:", // of the database
    "pulumi-nodejs:", // none
  ];
  const namesOf = (all: readonly Registration[]) =>
    all
      .filter(({ type }) => !scopedTypes.some((prefix) => type.startsWith(prefix)))
      // The input `bucket` of a bucket's settings refers to the bucket.
      .flatMap(({ type, inputs }) =>
        fields
          .filter((field) => field !== "bucket" || type === "aws:s3/bucket:Bucket")
          .filter((field) => typeof inputs[field] === "string")
          .map((field) => `${type} ${field} ${inputs[field]}`),
      );

  it("differ between the stacks, so that all three can be in one account and region", () => {
    for (const [index, stack] of stacks.entries()) {
      const names = namesOf(registered[stack]);
      expect(names.length).toBeGreaterThan(10);
      for (const other of stacks.slice(index + 1)) {
        const others = new Set(namesOf(registered[other]));
        expect(names.filter((name) => others.has(name))).toEqual([]);
      }
    }
  });

  it("are the documented ones in dev", () => {
    expect(namesOf(registered.dev)).toEqual(
      expect.arrayContaining([
        "aws:s3/bucket:Bucket bucket ecommerce-app-jlrg",
        "aws:secretsmanager/secret:Secret name ecommerce_secret",
        "aws:iam/role:Role name ecommerce-api-gateway-to-s3",
        "aws:apigateway/restApi:RestApi name ecommerce-api-for-s3",
      ]),
    );
  });

  it("go with different ranges of the networks", () => {
    const ranges = stacks.map((stack) => one(registered[stack], "aws:ec2/vpc:Vpc").inputs.cidrBlock);
    expect(ranges).toEqual(["10.20.0.0/16", "10.21.0.0/16", "10.22.0.0/16"]);
  });
});

describe("prod", () => {
  it("protects resources with data from deletion, in Pulumi and on AWS", () => {
    const found = holdersOf(registered.prod);
    expect(found.map(({ type }) => type).toSorted()).toEqual([
      "aws:cognito/userPool:UserPool",
      "aws:rds/instance:Instance",
      "aws:s3/bucket:Bucket",
      "aws:secretsmanager/secret:Secret",
      // The queue and the dead-letter queue.
      "aws:sqs/queue:Queue",
      "aws:sqs/queue:Queue",
    ]);
    for (const { urn, options } of found) expect(options.protect, urn).toBe(true);
    expect(one(found, "aws:rds/instance:Instance").inputs).toMatchObject({
      deletionProtection: true,
      skipFinalSnapshot: false,
      finalSnapshotIdentifier: "database-prod-final",
      backupRetentionPeriod: 35,
      multiAz: true,
      publiclyAccessible: false,
      storageEncrypted: true,
    });
    expect(one(found, "aws:cognito/userPool:UserPool").inputs.deletionProtection).toBe("ACTIVE");
    expect(one(found, "aws:s3/bucket:Bucket").inputs.forceDestroy).toBe(false);
    expect(one(found, "aws:secretsmanager/secret:Secret").inputs.recoveryWindowInDays).toBe(30);
  });

  it("protects Aurora as well, its cluster and both instances", async () => {
    const database = '{"access":"private","kind":"aurora","backupDays":35}';
    const found = holdersOf(await registrations("prod", { "ecommerce:database": database }));
    const cluster = one(found, "aws:rds/cluster:Cluster");
    expect(found.filter(({ type }) => type === "aws:rds/clusterInstance:ClusterInstance")).toHaveLength(2);
    for (const { urn, options } of found) expect(options.protect, urn).toBe(true);
    expect(cluster.inputs).toMatchObject({
      deletionProtection: true,
      skipFinalSnapshot: false,
      finalSnapshotIdentifier: "database-prod-final",
      backupRetentionPeriod: 35,
      storageEncrypted: true,
    });
  });
});

describe("a private database's schema", () => {
  afterEach(() => vi.unstubAllEnvs());

  it("has the same input on every machine, whatever its environment trusts", async () => {
    const inputsWith = async (file: string) => {
      vi.stubEnv("NODE_EXTRA_CA_CERTS", file);
      vi.stubEnv("SSL_CERT_FILE", file);
      return one(await registrations("prod"), "aws:lambda/invocation:Invocation").inputs;
    };
    const { input, ...rest } = await inputsWith("");
    expect(JSON.parse(String(input)).server.authorities).toContain("BEGIN CERTIFICATE");
    expect(await inputsWith(inject("mysql").caFile)).toEqual({ input, ...rest });
  });
});

it("does not protect dev and staging, and frees the secret's name at once", () => {
  for (const stack of ["dev", "staging"] as const) {
    const found = holdersOf(registered[stack]);
    for (const { urn, options } of found) expect(options.protect, urn).toBe(false);
    expect(one(found, "aws:rds/instance:Instance").inputs).toMatchObject({ skipFinalSnapshot: true });
    expect(one(found, "aws:secretsmanager/secret:Secret").inputs.recoveryWindowInDays).toBe(0);
  }
});
