/** Every repair with Pulumi in docs/runbook.md and docs/operations.md, against the damage that it is for. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { commandsOf } from "../support/documents";
import { type Engine, type EngineOptions, hasPulumi, howToGetPulumi, onPath, startEngine } from "../support/engine";
import { startTestServer, type TestServer } from "../support/mysql";
import { supersede } from "./standin/secretVersions";
import { currentVersion, fine, registerBySecret } from "./support";

const runnable = hasPulumi && onPath("jq") !== undefined;
const how = `${howToGetPulumi}, and jq`;

const runbook = (after: string) => commandsOf("docs/runbook.md", after, ["pulumi ", "DAYS="]);
const [urn] = commandsOf("docs/runbook.md", "The commands below use these names:", ["urn()"]);

/** The ends of the sentences before the commands. */
const aws = "A function's environment, a role, a policy, a queue, an alarm, a network rule:";
const inside = "again, and leaves what is there:";
const outside = "two passwords (only with rotation):";
const password = "Without rotation, this draws a new password and sets both:";
const rotatedPassword = "which does the same, and on again:";

let server: TestServer;
let engine: Engine;

async function start(options: EngineOptions): Promise<void> {
  server = await startTestServer();
  engine = await startEngine({ ...options, mysql: server });
  expect(await engine.up()).toMatchObject(fine);
}
async function end(): Promise<void> {
  await engine?.dispose();
  await server?.dispose();
}

const repair = (...lines: string[]) => engine.shell([urn, ...lines].join("\n"));
const thing = (name: string, type = "") =>
  engine.cloud.things().find((one) => one.name === name && one.type.includes(type))!;
const sql = (statement: string) => engine.sql("instance", statement);
const grants = async () => JSON.stringify(await sql("SHOW GRANTS FOR ecommerce_register@'%'"));

const register = () => registerBySecret(engine);

/** Does the damage, after which `register` must fail, and the repair, after which it must succeed. */
async function expectRepair(damage: () => Promise<unknown>, ...lines: string[]): Promise<void> {
  await register();
  await damage();
  await expect(register()).rejects.toThrow();
  await repair(...lines);
  await register();
  expect(await engine.preview()).toMatchObject({ ...fine, steps: [] });
}

/** Somebody puts a value into the secret: this version is the current one, and no Pulumi resource has it. */
const editSecret = async () => supersede(engine.cloud, currentVersion(engine.cloud).inputs.secretId);

describe.runIf(runnable)(`repairs of a public stack (${how})`, { timeout: 300_000 }, () => {
  beforeAll(() => start({ settings: { "registration.buffer": true } }));
  afterAll(end);
  const [tables, grant, passwords] = runbook(outside) as [string, string, string];

  test("an environment, a policy and a queue that somebody changed by hand", async () => {
    const environment = thing("register-user", ":Function").outputs.environment;
    const { policy } = thing("register-user-policy").outputs;
    engine.cloud.edit("register-user", { environment: { variables: {} } });
    engine.cloud.edit("register-user-policy", { policy: "{}" });
    const queue = engine.cloud.things().find(({ type }) => type === "aws:sqs/queue:Queue")!;
    engine.cloud.remove(queue.type, queue.id);
    // Without a refresh the preview shows none of these changes.
    expect((await engine.preview()).steps).toEqual([]);

    await repair(...runbook(aws));
    expect(thing("register-user", ":Function").outputs.environment).toEqual(environment);
    expect(thing("register-user-policy").outputs.policy).toEqual(policy);
    expect(thing(queue.name, "queue:Queue")).toBeDefined();
  });

  test("a grant", () =>
    expectRepair(() => sql("REVOKE INSERT ON ecommerce_db.users FROM ecommerce_register@'%'"), grant));
  test("a table", () => expectRepair(() => sql("DROP TABLE ecommerce_db.users"), tables));
  test("a user", () => expectRepair(() => sql("DROP USER ecommerce_register@'%'"), ...runbook(aws)));
  test("a database", () =>
    expectRepair(() => sql("DROP DATABASE ecommerce_db"), ...runbook("--refresh`, a missing database with")));
  test("a password", () =>
    expectRepair(() => sql("ALTER USER ecommerce_register@'%' IDENTIFIED BY 'by hand'"), ...runbook(password)));
  test("a secret", () => expectRepair(editSecret, ...runbook(password)));

  test("with rotation: the privilege, the password, and the secret", async () => {
    await engine.set({ "secret.rotationDays": 30 });
    expect(await engine.up()).toMatchObject(fine);
    expect(await grants()).toContain("APPLICATION_PASSWORD_ADMIN");
    await sql("REVOKE APPLICATION_PASSWORD_ADMIN ON *.* FROM ecommerce_register@'%'");
    await repair(passwords);
    expect(await grants()).toContain("APPLICATION_PASSWORD_ADMIN");

    const steps = runbook(rotatedPassword);
    await expectRepair(() => sql("DROP USER ecommerce_register@'%'"), ...runbook(aws), ...steps);
    await expectRepair(() => sql("ALTER USER ecommerce_register@'%' IDENTIFIED BY 'by hand'"), ...steps);
    await expectRepair(editSecret, ...steps);
    expect(thing("rotate-secret", "secretRotation").inputs.rotationRules).toEqual({ automaticallyAfterDays: 30 });
  });
});

describe.runIf(runnable)(`repairs of a private stack (${how})`, { timeout: 300_000 }, () => {
  beforeAll(() => start({ stack: "staging", settings: { "secret.rotationDays": 0 } }));
  afterAll(end);
  const [applied] = runbook(inside) as [string];

  test("a grant", () =>
    expectRepair(() => sql("REVOKE INSERT ON ecommerce_db.users FROM ecommerce_register@'%'"), applied));
  test("a table", () => expectRepair(() => sql("DROP TABLE ecommerce_db.users"), applied));
  test("a user", () => expectRepair(() => sql("DROP USER ecommerce_register@'%'"), applied));
  test("a database", () => expectRepair(() => sql("DROP DATABASE ecommerce_db"), applied));
  test("a password", () =>
    expectRepair(() => sql("ALTER USER ecommerce_register@'%' IDENTIFIED BY 'by hand'"), ...runbook(password)));
  test("a secret", () => expectRepair(editSecret, ...runbook(password)));

  test("with rotation: the privilege, the password, and the secret", async () => {
    await engine.set({ "secret.rotationDays": 30 });
    expect(await engine.up()).toMatchObject(fine);
    await sql("REVOKE APPLICATION_PASSWORD_ADMIN ON *.* FROM ecommerce_register@'%'");
    await repair(applied);
    expect(await grants()).toContain("APPLICATION_PASSWORD_ADMIN");
    await register();

    const steps = runbook(rotatedPassword);
    await expectRepair(() => sql("DROP USER ecommerce_register@'%'"), applied, ...steps);
    await expectRepair(() => sql("ALTER USER ecommerce_register@'%' IDENTIFIED BY 'by hand'"), ...steps);
    await expectRepair(editSecret, ...steps);
  });

  test("a deployment that was killed while it made the database", async () => {
    await engine.destroy();
    engine.cloud.killEngineAfter("database");
    // One at a time: other resources that are being created would be pending too.
    await expect(engine.shell('pulumi up --stack "$STACK" --parallel 1')).rejects.toThrow();
    const created = thing("database", "instance:Instance");
    expect(created).toBeDefined();
    const [cancel, ...lines] = commandsOf("docs/operations.md", "only forgets it (tried with 3.260).", ["pulumi "]);
    await repair(cancel!);
    expect((await engine.up()).failure).toContain("AlreadyExists");

    await repair(...lines);
    expect(thing("database", "instance:Instance").outputs.resourceId).toBe(created.outputs.resourceId);
    await register();
    expect(await engine.preview()).toMatchObject({ ...fine, steps: [] });
    expect(await engine.destroy()).toMatchObject(fine);
    expect(engine.cloud.things()).toEqual([]);
  });
});

describe.runIf(runnable)(`prod by the steps of the documents (${how})`, { timeout: 300_000 }, () => {
  beforeAll(() => start({ stack: "prod" }));
  afterAll(end);

  test("the buffer is turned off", async () => {
    const queues = ["::registration-buffer-queue", "::registration-buffer-dead-letters"];
    await repair("pulumi config set --stack $STACK --path registration.buffer false");
    expect((await engine.up()).failure).toMatch(/protected/);
    for (const queue of queues) await repair(`pulumi state unprotect --stack "$STACK" "$(urn ${queue})" --yes`);
    expect(await engine.up()).toMatchObject(fine);
    expect(engine.cloud.things().map(({ type }) => type)).not.toContain("aws:sqs/queue:Queue");
    await register();
  });

  test("it is taken down after rotations and refreshes", async () => {
    const { secretId } = currentVersion(engine.cloud).inputs;
    supersede(engine.cloud, secretId);
    expect(await engine.refresh()).toMatchObject(fine);
    supersede(engine.cloud, secretId);
    expect((await engine.destroy()).failure).toContain("protected");
    await repair(
      "pulumi config set --path data.protect false --stack $STACK",
      "pulumi up --stack $STACK",
      "pulumi destroy --stack $STACK",
    );
    expect(engine.cloud.things()).toEqual([]);
    expect(await engine.remembered()).toEqual([]);
  });
});
