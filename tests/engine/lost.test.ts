/** A database server that is lost or replaced by another kind: the next deployment makes the schema and user again. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { commandsOf } from "../support/documents";
import { type Engine, hasPulumi, howToGetPulumi, startEngine } from "../support/engine";
import { startTestServer, type TestServer } from "../support/mysql";
import type { ServerKind } from "./standin/mysqlServer";
import { supersede } from "./standin/secretVersions";
import { currentVersion, fine, namesOf, registerBySecret } from "./support";

let servers: TestServer[] = [];
let engine: Engine;

const tables = async (kind: ServerKind) => {
  const rows = (await engine.sql(kind, "SHOW TABLES IN ecommerce_db")) as object[];
  return rows.map((row) => Object.values(row)[0]);
};

async function isWhole(kind: ServerKind): Promise<void> {
  expect(await tables(kind)).toEqual(expect.arrayContaining(["addresses", "category", "orders", "products", "users"]));
  await registerBySecret(engine);
  expect(await engine.preview()).toMatchObject({ ...fine, steps: [] });
}

describe.runIf(hasPulumi)(`a public database on the real engine (${howToGetPulumi})`, { timeout: 300_000 }, () => {
  beforeAll(async () => {
    servers = await Promise.all([startTestServer(), startTestServer()]);
    const [mysql, aurora] = servers;
    engine = await startEngine({ mysql, aurora, settings: { "secret.rotationDays": 30 } });
    expect(await engine.up()).toMatchObject(fine);
    await isWhole("instance");
  });
  afterAll(async () => {
    await engine?.dispose();
    for (const server of servers) await server.dispose();
  });

  const [urn] = commandsOf("docs/runbook.md", "The commands below use these names:", ["urn()"]);
  const makeAgain = (after: string) =>
    engine.shell([urn, ...commandsOf("docs/runbook.md", after, ["pulumi "])].join("\n"));

  test("its server is lost: schema, user and both grants are made again, and the secret has the user's password", async () => {
    const before = currentVersion(engine.cloud);
    const rotation = () => engine.cloud.things().find(({ type }) => type.endsWith(":SecretRotation"))!.id;
    const rotationBefore = rotation();
    await engine.lose("instance");
    await makeAgain("since what was in it can no longer be read:");

    expect(currentVersion(engine.cloud).id).not.toBe(before.id);
    // A new rotation resource rotates the secret at once.
    expect(rotation()).not.toBe(rotationBefore);
    const grants = await engine.sql("instance", "SHOW GRANTS FOR ecommerce_register@'%'");
    expect(JSON.stringify(grants)).toContain("APPLICATION_PASSWORD_ADMIN");
    await isWhole("instance");
  });

  // Does not check the address in the secret: the rotation writes it, which the stand-in does not simulate.
  test("it becomes Aurora: the new server gets schema and user", async () => {
    await engine.set({ "data.protect": false });
    expect(await engine.up()).toMatchObject(fine);
    await engine.set({ "database.kind": "aurora" });
    const done = await engine.up();

    expect(done).toMatchObject(fine);
    expect(await tables("cluster")).toContain("users");
    expect(engine.cloud.things().filter(({ type }) => type === "aws:rds/instance:Instance")).toEqual([]);
    expect((await engine.preview()).steps).toEqual([]);
  });

  test("its cluster is lost: the schema is made again", async () => {
    await engine.lose("cluster");
    await makeAgain("Of Aurora:");
    expect(await tables("cluster")).toContain("users");
    expect((await engine.preview()).steps).toEqual([]);
  });

  test("rotation can be turned off, and the stack destroyed, after two rotations of which a refresh saw only one", async () => {
    const { secretId } = currentVersion(engine.cloud).inputs;
    supersede(engine.cloud, secretId);
    expect((await engine.refresh()).failure).toBeUndefined();
    supersede(engine.cloud, secretId);
    await engine.set({ "secret.rotationDays": 0 });
    expect(await engine.up()).toMatchObject(fine);
    await isWhole("cluster");

    supersede(engine.cloud, secretId);
    expect((await engine.refresh()).failure).toBeUndefined();
    supersede(engine.cloud, secretId);
    expect(await engine.destroy()).toMatchObject(fine);
    expect(engine.cloud.things()).toEqual([]);
    expect(await engine.remembered()).toEqual([]);
  });
});

describe.runIf(hasPulumi)(`a private database on the real engine (${howToGetPulumi})`, { timeout: 300_000 }, () => {
  afterAll(async () => {
    await engine?.dispose();
    for (const server of servers) await server.dispose();
  });

  test.each<ServerKind>(["instance", "cluster"])("its %s is lost: refresh and up make it again", async (kind) => {
    const server = await startTestServer();
    servers = [server];
    engine = await startEngine({
      stack: "staging",
      settings: { "database.kind": kind === "cluster" ? "aurora" : "instance" },
      ...(kind === "cluster" ? { aurora: server } : { mysql: server }),
    });
    expect(await engine.up()).toMatchObject(fine);
    await isWhole(kind);

    await engine.lose(kind);
    expect((await engine.refresh()).failure).toBeUndefined();
    const done = await engine.up();
    expect(done).toMatchObject(fine);
    expect(namesOf(done)).toContain("schema-applied");
    await isWhole(kind);
    expect(await engine.destroy()).toMatchObject(fine);
    await engine.dispose();
    await server.dispose();
  });
});
