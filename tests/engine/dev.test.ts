/**
 * A public stack with every feature on, from its first preview to its destruction, with a real MySQL server as its
 * database. The tests depend on each other: each continues from the state that the one before it left.
 */
import { type Connection, createConnection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Engine, hasPulumi, howToGetPulumi, startEngine } from "../support/engine";
import { startTestServer, type TestServer } from "../support/mysql";
import { byName, fine, namesOf, secretsOf, settingsOfDynamicProvider, typesOf, updates } from "./support";

describe.runIf(hasPulumi)(`dev on the real engine (${howToGetPulumi})`, { timeout: 300_000 }, () => {
  let server: TestServer;
  let engine: Engine;

  beforeAll(async () => {
    server = await startTestServer();
    engine = await startEngine({
      mysql: server,
      settings: {
        "registration.buffer": true,
        "secret.rotationDays": 30,
        "api.writers": "application",
        "alarms.email": "alarms@example.com",
      },
    });
  });
  afterAll(async () => {
    await engine?.dispose();
    await server?.dispose();
  });

  const unchanged = { ...fine, steps: [], summary: { same: expect.any(Number) } };

  test("the first preview, without any address or identifier, has no error", async () => {
    const run = await engine.preview();

    expect(run).toMatchObject(fine);
    expect(new Set(run.steps.map(({ op }) => op))).toEqual(new Set(["create"]));
    expect(typesOf(run)).toEqual(
      expect.arrayContaining(["aws:rds/instance:Instance", "mysql:index/user:User", "pulumi-nodejs:dynamic:Resource"]),
    );
    expect(engine.cloud.things()).toEqual([]);
  });

  test("a deployment that fails midway records what it made, and the next one makes only the rest", async () => {
    engine.cloud.failOnce("users-domain");
    const failed = await engine.up();
    const before = engine.cloud.things();

    expect(failed.failure).toContain("ServiceUnavailable: aws:cognito/userPoolDomain:UserPoolDomain users-domain");
    expect(before.length).toBeGreaterThan(20);
    expect(await engine.remembered()).toEqual(expect.arrayContaining(before.map(({ id }) => id)));

    const resumed = await engine.up();
    expect(resumed).toMatchObject(fine);
    expect(new Set(resumed.steps.map(({ op }) => op))).toEqual(new Set(["create"]));
    expect(namesOf(resumed)).toContain("users-domain");
    const after = engine.cloud.things().map(({ type, name, id }) => ({ type, name, id }));
    for (const { type, name, id } of before) {
      expect(namesOf(resumed)).not.toContain(name);
      expect(after).toContainEqual({ type, name, id });
    }
  });

  test("the schema is in MySQL, and the function's user may write into one table", async () => {
    await asRoot(async (connection) => {
      const [tables] = await connection.query("SHOW TABLES IN ecommerce_db");
      const [grants] = await connection.query("SHOW GRANTS FOR ecommerce_register@'%'");
      expect((tables as object[]).map((row) => Object.values(row)[0])).toEqual(
        expect.arrayContaining(["addresses", "category", "orders", "orders_detail", "products", "users"]),
      );
      expect(JSON.stringify(grants)).toContain("GRANT SELECT, INSERT ON `ecommerce_db`.`users`");
    });
  });

  test("a second deployment changes nothing, even if AWS lists other zones", async () => {
    expect(await engine.up()).toMatchObject(unchanged);
    engine.cloud.listZones("bcd");
    expect(await engine.up()).toMatchObject(unchanged);
    const zones = engine.cloud.things().flatMap(({ inputs }) => inputs.availabilityZone ?? []);
    expect(zones.toSorted()).toEqual(["us-east-1a", "us-east-1a", "us-east-1b", "us-east-1b"]);
  });

  test("a refresh finds nothing changed", async () => {
    expect(await engine.refresh()).toMatchObject(unchanged);
  });

  test("a refresh finds what somebody deleted by hand, and the next deployment makes it again", async () => {
    const [alarm] = engine.cloud.things().filter(({ name }) => name === "monitoring-database-storage");
    engine.cloud.remove(alarm!.type, alarm!.id);

    expect((await engine.refresh()).summary).toMatchObject({ delete: 1 });
    const run = await engine.up();
    expect(run).toMatchObject({ ...fine, steps: [{ op: "create", type: alarm!.type, name: alarm!.name }] });
  });

  test("the secret's first version, deleted by AWS as two rotations allow, is written again and rotated at once", async () => {
    const rotationType = "aws:secretsmanager/secretRotation:SecretRotation";
    const rotation = () => engine.cloud.things().find(({ type }) => type === rotationType)!;
    const [version] = engine.cloud.things().filter(({ name }) => name === "secret-value");
    const before = rotation();
    engine.cloud.remove(version!.type, version!.id);

    expect((await engine.refresh()).summary).toMatchObject({ delete: 1 });
    const previewed = await engine.preview();
    const done = await engine.up();

    expect(previewed).toMatchObject(fine);
    expect(done).toMatchObject(fine);
    for (const { steps } of [previewed, done]) {
      expect(steps).toContainEqual({ op: "create", type: version!.type, name: "secret-value", changed: [] });
      expect(steps).toContainEqual(
        expect.objectContaining({ op: "replace", type: rotationType, name: "rotate-secret" }),
      );
    }
    // Creating the rotation resource rotates the secret at once, so the value must exist before it.
    const created = ["secret-value", "rotate-secret"].map((name) =>
      done.steps.findIndex((step) => step.name === name && step.op.startsWith("create")),
    );
    expect(created).toEqual(created.toSorted((a, b) => a - b));
    expect(rotation().id).not.toBe(before.id);
  });

  test.for([
    {
      settings: { "logs.retentionDays": 14 },
      steps: updates("aws:cloudwatch/logGroup:LogGroup", "retentionInDays", [
        "database-error-log",
        "register-user-logs",
        "rotate-secret-logs",
      ]),
    },
    {
      settings: { "registration.memoryMiB": 1024 },
      steps: updates("aws:lambda/function:Function", "memorySize", ["register-user"]),
    },
    {
      settings: { "database.backupDays": 3 },
      steps: updates("aws:rds/instance:Instance", "backupRetentionPeriod", ["database"]),
    },
    {
      settings: { domainPrefix: "ecommerce-moved" },
      // The old one is deleted first: a pool has only one domain with a prefix.
      steps: ["delete-replaced", "replace", "create-replacement"].map((op) => ({
        op,
        type: "aws:cognito/userPoolDomain:UserPoolDomain",
        name: "users-domain",
        changed: op === "delete-replaced" ? [] : ["domain"],
      })),
    },
  ])(
    "$settings changes only the resources that it concerns, and the preview shows them",
    async ({ settings, steps }) => {
      await engine.set(settings);
      const previewed = await engine.preview();
      const done = await engine.up();

      expect(previewed).toMatchObject(fine);
      expect(done).toMatchObject(fine);
      expect(byName(previewed.steps)).toEqual(byName([...steps, settingsOfDynamicProvider]));
      expect(byName(done.steps)).toEqual(byName(previewed.steps));
    },
  );

  test("the state holds every secret encrypted", async () => {
    const stored = engine.stored();
    const secrets = secretsOf(engine.cloud);

    expect(Object.keys(secrets)).toEqual(
      expect.arrayContaining(["administrator's password", "function user's password", "client secret"]),
    );
    // Proves that the search finds plain text.
    expect(stored).toContain("ecommerce_register");
    for (const [what, value] of Object.entries(secrets)) {
      expect(value.length, what).toBeGreaterThanOrEqual(20);
      expect(stored.includes(value), `${what} is in the state as plain text`).toBe(false);
    }
  });

  test("destroying the stack leaves no resource", async () => {
    const run = await engine.destroy();

    expect(run).toMatchObject(fine);
    expect(engine.cloud.things()).toEqual([]);
    expect(await engine.remembered()).toEqual([]);
  });

  async function asRoot(work: (connection: Connection) => Promise<void>): Promise<void> {
    const { host, port, user, password } = server;
    const connection = await createConnection({ host, port, user, password, ssl: { rejectUnauthorized: false } });
    try {
      await work(connection);
    } finally {
      await connection.end();
    }
  }
});
