/** Migrations: the content of a real server after each kind of run. */
import type { Connection } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { applySchema } from "../../schema/apply";
import type { SchemaServer } from "../../schema/connection";
import type { Migration } from "../../schema/plan";
import { Wire } from "../faults/support/Wire";
import { rejectionOf } from "../support/failures";
import { connectToTestServer, schemaFor, testServer } from "./support";

describe("applied to a server", () => {
  const database = `schema_migrations_${process.pid}`;
  const sql = schemaFor(database);
  let admin: Connection;
  beforeAll(async () => {
    admin = await connectToTestServer();
  });
  beforeEach(async () => {
    await admin.query(`DROP DATABASE IF EXISTS \`${database}\``);
  });
  afterAll(async () => {
    await admin?.query(`DROP DATABASE IF EXISTS \`${database}\``);
    await admin?.end();
  });

  const apply = (migrations: Migration[], server: SchemaServer = testServer(), baseline = sql) =>
    applySchema(server, { database, sql: baseline, migrations });
  const rows = async (statement: string) =>
    (await admin.query(statement.replaceAll("$", `\`${database}\``)))[0] as any[];
  const columns = async (table: string) =>
    (await rows(`SHOW COLUMNS FROM $.${table}`)).map((column) => column.Field as string);
  const record = () =>
    rows("SELECT name, applied_at IS NOT NULL AS applied, progress FROM $.schema_migrations ORDER BY name");

  const status: Migration = { name: "0001_status", sql: "ALTER TABLE orders ADD Order_Status varchar(20);" };
  const three: Migration = {
    name: "0001_three",
    sql: "ALTER TABLE orders ADD one int;\nINSERT INTO category (Categ_Name) VALUES ('a');\nALTER TABLE orders ADD two int;\n",
  };

  it("are none: the documented tables, and nothing else", async () => {
    await apply([]);
    expect(await rows("SHOW TABLES FROM $")).toHaveLength(6);
  });

  it("are carried out once, in order, and remembered with checksum and time", async () => {
    const second = {
      name: "0002_fill",
      sql: "UPDATE orders SET Order_Status = 'new'; INSERT INTO category (Categ_Name) VALUES ('b');",
    };
    expect((await apply([second, status])).migrations).toEqual(["0001_status", "0002_fill"]);
    expect((await apply([status, second])).migrations).toEqual([]);
    expect(await columns("orders")).toContain("Order_Status");
    expect(await rows("SELECT Categ_Name FROM $.category")).toEqual([{ Categ_Name: "b" }]);
    expect(await record()).toMatchObject([
      { name: "0000_ecommerceSchema", applied: 1, progress: null },
      { name: "0001_status", applied: 1, progress: null },
      { name: "0002_fill", applied: 1, progress: null },
    ]);
    const [row] = await rows(
      "SELECT checksum, ABS(TIMESTAMPDIFF(SECOND, applied_at, UTC_TIMESTAMP())) AS ago FROM $.schema_migrations WHERE name = '0001_status'",
    );
    expect(row.checksum).toMatch(/^[0-9a-f]{64}$/);
    expect(row.ago).toBeLessThan(60);
  });

  it("come to a database that was there before them, with its rows", async () => {
    await apply([]);
    await rows("INSERT INTO $.orders (Order_UserUUID) VALUES ('u')");
    await apply([status]);
    expect(await rows("SELECT Order_UserUUID, Order_Status FROM $.orders")).toEqual([
      { Order_UserUUID: "u", Order_Status: null },
    ]);
  });

  it("make the schema file history: a dropped table stays dropped, and an edited file is refused", async () => {
    const drop = { name: "0001_drop", sql: "-- removes data\nDROP TABLE category;" };
    await apply([drop]);
    await apply([drop]);
    expect(await rows("SHOW TABLES FROM $ LIKE 'category'")).toEqual([]);
    const error = await rejectionOf(apply([drop], testServer(), `${sql}\n-- later`));
    expect(error).toMatchObject({ code: "MIGRATION_CHANGED" });
    expect(error.message).toMatch(/^The schema file was changed after it had been applied at \d{4}-/);
  });

  it("refuse an applied file that was edited, removed or renamed, by its name", async () => {
    await apply([status]);
    const edited = await rejectionOf(apply([{ ...status, sql: `${status.sql} ` }]));
    expect(edited).toMatchObject({ name: "SchemaError", code: "MIGRATION_CHANGED" });
    expect(edited.message).toContain("The migration 0001_status was changed after it had been applied");
    for (const migrations of [[], [{ ...status, name: "0001_renamed" }]]) {
      const error = await rejectionOf(apply(migrations));
      expect(error).toMatchObject({ code: "MIGRATION_MISSING" });
      expect(error.message).toContain("has the migration 0001_status, and the files do not");
    }
    expect(await columns("orders")).toContain("Order_Status");
  });

  it("fail with file, number, line and text, and go on with the corrected statement", async () => {
    const broken = { ...three, sql: three.sql.replace("ADD two", "ADDD two") };
    const error = await rejectionOf(apply([broken]));
    expect(error).toMatchObject({ name: "SchemaError", code: "ER_PARSE_ERROR", line: 3 });
    expect(error.message).toContain(
      'Line 3 of schema/migrations/0001_three.sql failed (statement 3 of 3, "ALTER TABLE orders ADDD two int"',
    );
    expect(error.message).toContain("deploy again");
    expect(await record()).toMatchObject([
      {},
      { name: "0001_three", applied: 0, progress: { done: [expect.any(String), expect.any(String)] } },
    ]);

    // A second failure changes nothing, and a statement that was executed must not be changed.
    await rejectionOf(apply([broken]));
    const rewritten = await rejectionOf(apply([{ ...three, sql: three.sql.replace("one", "uno") }]));
    expect(rewritten.message).toContain("Statement 1 of the migration 0001_three was changed or moved");

    expect((await apply([three, { name: "0002_last", sql: "ALTER TABLE orders ADD last int;" }])).migrations).toEqual([
      "0001_three",
      "0002_last",
    ]);
    expect(await columns("orders")).toEqual(expect.arrayContaining(["one", "two", "last"]));
    expect(await rows("SELECT Categ_Name FROM $.category")).toHaveLength(1);
  });

  it("roll back the rows of a statement that fails, and nothing before it", async () => {
    const sum = {
      name: "0001_sum",
      sql: "INSERT INTO category (Categ_Name) VALUES ('kept');\nINSERT INTO users (User_UUID, User_DateAdd) VALUES ('a', now()), ('a', now());",
    };
    const error = await rejectionOf(apply([sum]));
    expect(error).toMatchObject({ code: "ER_DUP_ENTRY", line: 2 });
    expect(await rows("SELECT * FROM $.users")).toEqual([]);
    await apply([{ ...sum, sql: sum.sql.replace("('a', now()), ", "") }]);
    expect(await rows("SELECT * FROM $.users")).toHaveLength(1);
    expect(await rows("SELECT * FROM $.category")).toHaveLength(1);
  });

  it("are not executed twice if MySQL executes one and cannot record it", async () => {
    await apply([status]);
    await admin.query(
      `CREATE TRIGGER \`${database}\`.full BEFORE UPDATE ON \`${database}\`.schema_migrations FOR EACH ROW
       IF JSON_LENGTH(NEW.progress, '$.done') = 1 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'disk full'; END IF`,
    );
    const extra = { name: "0002_extra", sql: "CREATE TABLE extra (a int);" };
    expect((await rejectionOf(apply([status, extra]))).message).toContain("disk full. Whether it was carried out");
    await admin.query(`DROP TRIGGER \`${database}\`.full`);
    expect((await apply([status, extra])).migrations).toEqual(["0002_extra"]);
  });

  it("run one after another when two come at once", async () => {
    const slow = {
      name: "0001_slow",
      sql: "INSERT INTO category (Categ_Name) SELECT SLEEP(1.5);\nALTER TABLE orders ADD once int;",
    };
    const results = await Promise.all([apply([slow]), apply([slow])]);
    expect(results.map(({ migrations }) => migrations.length).sort()).toEqual([0, 1]);
    expect(await rows("SELECT * FROM $.category")).toHaveLength(1);
  });

  it("name the connection of another run that does not end in time", async () => {
    await admin.query("SELECT GET_LOCK(?, 0)", [`schema:${database}`]);
    try {
      const error = await rejectionOf(apply([status], { ...testServer(), until: Date.now() + 6500 }));
      expect(error).toMatchObject({ code: "SCHEMA_LOCKED" });
      expect(error.message).toContain(`MySQL connection ${admin.threadId}`);
    } finally {
      await admin.query("SELECT RELEASE_ALL_LOCKS()");
    }
  });

  describe("and cut off", () => {
    let wire: Wire;
    beforeEach(async () => {
      wire = await Wire.to(testServer().port);
    });
    afterEach(() => wire.cut());

    it("in a definition: the next run waits for MySQL, sees that it is done, and goes on", async () => {
      await apply([]);
      // SLEEP keeps MySQL busy: it runs once for each of the rows.
      await rows("INSERT INTO $.category (Categ_Name) VALUES ('a'), ('b')");
      const slow = {
        name: "0001_slow",
        sql: "CREATE TABLE copy AS SELECT Categ_Id, SLEEP(1) AS slept FROM category;\nALTER TABLE orders ADD after_it int;",
      };
      const run = rejectionOf(apply([slow], { ...testServer(), port: wire.port }));
      await until(
        async () =>
          (await rows(`SELECT 1 FROM information_schema.processlist WHERE info LIKE 'CREATE TABLE copy%'`)).length > 0,
      );
      await wire.cut();
      const error = await run;
      expect(error.message).toContain('statement 1 of 2, "CREATE TABLE copy');
      expect(error.message).toContain("Whether it was carried out is not known yet");

      expect((await apply([slow])).migrations).toEqual(["0001_slow"]);
      expect(await rows("SELECT * FROM $.copy")).toHaveLength(2);
      expect(await columns("orders")).toContain("after_it");
    });

    it("in a definition that MySQL then gives up: the next run does it", async () => {
      await apply([]);
      // MySQL notices that it is killed between two rows, so there are some.
      await rows("INSERT INTO $.category (Categ_Name) VALUES ('a'), ('b'), ('c'), ('d'), ('e')");
      const killed = {
        name: "0001_slow",
        sql: "CREATE TABLE copy AS SELECT Categ_Id, SLEEP(5) AS slept FROM category;",
      };
      const run = rejectionOf(apply([killed], { ...testServer(), port: wire.port }));
      const busy = "SELECT id AS id FROM information_schema.processlist WHERE info LIKE 'CREATE TABLE copy%'";
      await until(async () => (await rows(busy)).length > 0);
      await wire.cut();
      await run;
      const [{ id }] = await rows(busy);
      await admin.query(`KILL ${id}`);
      // Nothing was done, so the statement may be another one now.
      expect((await apply([{ ...killed, sql: "CREATE TABLE copy (a int);" }])).migrations).toEqual(["0001_slow"]);
      expect(await columns("copy")).toEqual(["a"]);
    });

    it("in a change of rows: it is rolled back, and done once", async () => {
      const slow = { name: "0001_rows", sql: "INSERT INTO category (Categ_Name) SELECT SLEEP(2);" };
      const run = rejectionOf(apply([slow], { ...testServer(), port: wire.port }));
      await until(
        async () =>
          (await rows(`SELECT 1 FROM information_schema.processlist WHERE info LIKE 'INSERT INTO category%'`)).length >
          0,
      );
      await wire.cut();
      await run;
      expect((await apply([slow])).migrations).toEqual(["0001_rows"]);
      expect(await rows("SELECT * FROM $.category")).toHaveLength(1);
    });
  });
});

async function until(met: () => Promise<boolean>): Promise<void> {
  while (!(await met())) await new Promise((resolve) => setTimeout(resolve, 20));
}
