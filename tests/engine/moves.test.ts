/** A stack that moves between a public and a private database, with a real MySQL server and a row in it. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { commandsOf } from "../support/documents";
import { type Engine, hasPulumi, howToGetPulumi, startEngine } from "../support/engine";
import { startTestServer, type TestServer } from "../support/mysql";
import { dataIn, fine, typesOf } from "./support";

describe.runIf(hasPulumi)(`moving a database on the real engine (${howToGetPulumi})`, { timeout: 300_000 }, () => {
  let server: TestServer;
  let engine: Engine;
  let data: string[];

  beforeAll(async () => {
    server = await startTestServer();
    engine = await startEngine({ mysql: server, settings: { "secret.rotationDays": 30 } });
  });
  afterAll(async () => {
    await engine?.dispose();
    await server?.dispose();
  });

  const awsData = () => dataIn(engine.cloud).filter((thing) => thing.startsWith("aws:"));
  const sql = (statement: string) => engine.sql("instance", statement);
  const rows = () => sql("SELECT User_UUID FROM ecommerce_db.users");

  test("starts with a public database that has a row", async () => {
    expect(await engine.up()).toMatchObject(fine);
    await sql("INSERT INTO ecommerce_db.users (User_UUID, User_Email, User_DateAdd) VALUES ('u-1', 'a@b.c', NOW())");
    data = awsData();
    expect(data).toHaveLength(4);
  });

  test("becomes private: no resource with data is replaced, the rows stay, a function makes the schema", async () => {
    await engine.set({ "database.access": "private", "database.deployerCidrs": [] });
    const previewed = await engine.preview();
    const done = await engine.up();

    expect(previewed).toMatchObject(fine);
    expect(done).toMatchObject(fine);
    expect(typesOf(done)).toContain("aws:lambda/invocation:Invocation");
    expect(awsData()).toEqual(data);
    expect(await rows()).toEqual([{ User_UUID: "u-1" }]);
    expect((await engine.preview()).steps).toEqual([]);
  });

  test("becomes public again, by the steps of docs/operations.md: the rows are still there", async () => {
    await engine.set({ "secret.rotationDays": 0 });
    expect(await engine.up()).toMatchObject(fine);
    await engine.set({ "database.access": "public", "database.deployerCidrs": ["192.0.2.0/24"] });
    const refused = await engine.up();
    expect(refused.failure).toContain("database exists");
    expect(await rows()).toEqual([{ User_UUID: "u-1" }]);

    await engine.shell(
      commandsOf("docs/operations.md", "sign-ups wait or are repaired:", ["urn()", "pulumi "]).join("\n"),
    );
    await sql("DROP USER ecommerce_register@'%'");
    const done = await engine.up();

    expect(done).toMatchObject(fine);
    expect(awsData()).toEqual(data);
    expect(await rows()).toEqual([{ User_UUID: "u-1" }]);
    expect((await engine.preview()).steps).toEqual([]);
  });

  test("gets another server with the same content: making it private, as the runbook says, keeps the rows", async () => {
    engine.cloud.edit("database", { resourceId: "db-RESTORED" });
    expect((await engine.refresh()).failure).toBeUndefined();
    expect((await engine.up()).failure).toContain("database exists");

    await engine.set({ "database.access": "private", "database.deployerCidrs": [] });
    expect(await engine.up()).toMatchObject(fine);
    expect(await rows()).toEqual([{ User_UUID: "u-1" }]);
    expect((await engine.preview()).steps).toEqual([]);
  });
});
