/** The provider of the schema file, serialized by Pulumi and run against a real server. */
import { createRequire } from "node:module";
import path from "node:path";
import type { Connection } from "mysql2/promise";
import { afterAll, describe, expect, it, vi } from "vitest";
import { readLiveTables } from "../../schema/drift";
import type { Migration } from "../../schema/plan";
import { connectToTestServer, schemaFor, testServer } from "../schema/support";
import { loadNatively, projectRoot } from "../support/native";
import { make, plain, seen, the, types, useMocks } from "./schemaComponent";

useMocks();

/** Evaluates the provider as the engine does: from its serialized source, in a module of its own. */
async function serializedProvider() {
  const source = plain(the(types.file).inputs.__provider) as string;
  const file = path.join(projectRoot, "serialized-provider.js");
  const module = { exports: {} as any };
  new Function("module", "exports", "require", source)(module, module.exports, createRequire(file));
  return { source, provider: module.exports.handler() };
}

describe("the provider, as serialized", () => {
  const database = `schema_provider_${process.pid}`;
  let connection: Connection | undefined;

  afterAll(async () => {
    await connection?.query(`DROP DATABASE IF EXISTS \`${database}\``);
    await connection?.end();
  });

  /** The file's inputs for the test run's MySQL, as the engine passes them: without secret wrappers. */
  async function inputsFor(sql: string, migrations: Migration[] = []) {
    seen.length = 0;
    const { host, port, user, password, authorities } = testServer();
    await make({
      address: host,
      port,
      adminUsername: user,
      adminPassword: password,
      authorities,
      databaseName: database,
      sql,
      migrations,
    });
    const { __provider, ...inputs } = the(types.file).inputs;
    return { ...inputs, password: plain(inputs.password) };
  }

  it("contains no password, no authority and no path of this machine", async () => {
    await inputsFor(schemaFor(database));
    const { source } = await serializedProvider();
    expect(source).not.toContain(testServer().password);
    expect(source).not.toContain("BEGIN CERTIFICATE");
    expect(source).not.toContain(projectRoot);
  });

  it("creates, detects changes, updates, and deletes nothing", async () => {
    connection = await connectToTestServer();
    const first = await inputsFor(schemaFor(database));
    const { provider } = await serializedProvider();

    const { id, outs } = await provider.create(first);
    expect(id).toBe(database);
    expect(outs).toMatchObject({ checksum: first.checksum, tables: first.tables, databaseName: database });
    expect(JSON.stringify(outs)).not.toContain(first.password);
    const { shapes } = await readLiveTables(testServer(), database);
    expect(Object.keys(shapes)).toEqual(first.tables);

    expect(await provider.diff(id, outs, first)).toMatchObject({ changes: false });
    const elsewhere = { ...first, password: "rotated", authorities: "other", username: "other" };
    expect(await provider.diff(id, outs, elsewhere)).toMatchObject({ changes: false, replaces: [] });
    expect(await provider.diff(id, outs, { ...first, host: "restored.example.com" })).toMatchObject({
      changes: true,
      replaces: [],
    });
    expect(await provider.diff(id, outs, { ...first, databaseName: "other" })).toMatchObject({
      changes: true,
      replaces: ["databaseName"],
    });

    await connection.query(`INSERT INTO \`${database}\`.category (Categ_Name) VALUES ('kept')`);
    const second = await inputsFor(`${schemaFor(database)}\nCREATE TABLE IF NOT EXISTS added (a int PRIMARY KEY);`);
    expect(second.checksum).not.toBe(first.checksum);
    expect(await provider.diff(id, outs, second)).toMatchObject({ changes: true, replaces: [] });
    const updated = await provider.update(id, outs, second);
    expect(updated.outs.tables).toContain("added");
    expect(await provider.diff(id, updated.outs, second)).toMatchObject({ changes: false });

    const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
    await provider.delete(id, updated.outs);
    expect(log).toHaveBeenCalledWith(expect.stringContaining("stay"));
    const [rows] = await connection.query(`SELECT Categ_Name FROM \`${database}\`.category`);
    expect(rows).toEqual([{ Categ_Name: "kept" }]);
    expect((await readLiveTables(testServer(), database)).shapes).toMatchObject(shapes);
  });

  it("applies an added migration, and refuses to update without it afterwards", async () => {
    const schema = schemaFor(database);
    const status = { name: "0001_status", sql: "ALTER TABLE orders ADD Order_Status varchar(20);" };
    const before = await inputsFor(schema);
    const { provider } = await serializedProvider();
    const { id, outs } = await provider.create(before);
    const after = await inputsFor(schema, [status]);
    expect(after.migrationChecksums).toEqual({ "0001_status": expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(await provider.diff(id, outs, after)).toMatchObject({ changes: true, replaces: [] });
    // The state of a version without migrations.
    const { migrationChecksums: _, ...old } = outs;
    expect(await provider.diff(id, old, before)).toMatchObject({ changes: false });

    const updated = await provider.update(id, outs, after);
    expect(await provider.diff(id, updated.outs, after)).toMatchObject({ changes: false });
    expect((await readLiveTables(testServer(), database)).shapes.orders).toContain("`Order_Status`");
    await expect(provider.update(id, updated.outs, before)).rejects.toThrow("has the migration 0001_status");
    await connection?.query(`DROP DATABASE \`${database}\``);
  });

  it("reports the failing statement, also when serialized", async () => {
    const inputs = await inputsFor(`${schemaFor(database)}\nALTER TABLE missing ADD a int;`);
    const { provider } = await serializedProvider();
    const error = await provider.create(inputs).then(expect.fail, (reason: unknown) => reason);
    expect(error).toMatchObject({ name: "SchemaError", code: "ER_NO_SUCH_TABLE" });
    expect(error.message).toMatch(
      /^Line \d+ of the schema file failed \(statement 9 of 9, "ALTER TABLE missing ADD a int"/,
    );
    expect(JSON.stringify([error.message, error.stack])).not.toContain(testServer().password);
  });

  it("refuses a server whose certificate the authorities did not sign", async () => {
    const inputs = await inputsFor(schemaFor(database));
    const { provider } = await serializedProvider();
    const { rdsCaCerts } =
      loadNatively<typeof import("../../infra/database/rdsCaCerts")>("infra/database/rdsCaCerts.ts");
    const foreign = { ...inputs, authorities: rdsCaCerts("us-east-1") };
    await expect(provider.create(foreign)).rejects.toThrow("No trusted connection");
  });
});
