import { readFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { type Connection, createConnection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../cli/ports";
import { rdsCaCerts } from "../../infra/database/rdsCaCerts";
import { applySchema } from "../../schema/apply";
import { Wire } from "../faults/support/Wire";
import { rejectionOf } from "../support/failures";
import { startTestServer } from "../support/mysql";
import { connectToTestServer, schemaFor, testServer } from "./support";

const database = `schema_apply_${process.pid}`;
let connection: Connection;

beforeAll(async () => {
  connection = await connectToTestServer();
  await applySchema(testServer(), { sql: schemaFor(database), database });
});

afterAll(async () => {
  await connection?.query(`DROP DATABASE IF EXISTS \`${database}\``);
  await connection?.end();
});

describe("applySchema", () => {
  it("names the failing statement, MySQL's error and the line of the file, and keeps what came before", async () => {
    const sql = `USE \`${database}\`;\n\nCREATE TABLE kept (a int);\n-- why\nCREATE TABLE broken (\n  a int,\n  b in\n);\n`;
    const error = await rejectionOf(applySchema(testServer(), { sql, database }, { file: "broken.sql" }));
    expect(error).toMatchObject({ name: "SchemaError", code: "ER_PARSE_ERROR", line: 7 });
    expect(error.message).toContain('Line 7 of broken.sql failed (statement 3 of 3, "CREATE TABLE broken ( a int');
    expect(error.message).toContain("beginning on line 5): ER_PARSE_ERROR You have an error in your SQL syntax");
    const [kept] = await connection.query(`SHOW TABLES FROM \`${database}\` LIKE 'kept'`);
    expect(kept).toHaveLength(1);
  });

  it("names the line of a statement that MySQL understands and cannot do", async () => {
    const error = await rejectionOf(
      applySchema(testServer(), { sql: `USE \`${database}\`;\nALTER TABLE missing ADD a int;`, database }),
    );
    expect(error).toMatchObject({ code: "ER_NO_SUCH_TABLE", line: 2 });
  });

  it("sends nothing of a file whose last statement would remove data", async () => {
    const sql = `USE \`${database}\`; CREATE TABLE never (a int); DROP TABLE users;`;
    await expect(applySchema(testServer(), { sql, database })).rejects.toThrow("refused before anything was sent");
    const [tables] = await connection.query(`SHOW TABLES FROM \`${database}\` LIKE 'never'`);
    expect(tables).toHaveLength(0);
  });

  it("reads strings as the server does, whatever the server's own SQL mode is", async () => {
    // A server of its own: the mode is the server's, and every other test would get it.
    await using server = await startTestServer();
    const { host, port, user, password, caFile } = server;
    const authorities = readFileSync(caFile, "utf8");
    const admin = await createConnection({ host, port, user, password, ssl: { ca: authorities } });
    try {
      await admin.query("SET GLOBAL sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'");
      const text = "a'b\\c;\"d\n-- e";
      const sql = `CREATE DATABASE d; USE d; CREATE TABLE t (a text);
        INSERT INTO t VALUES ("a'b\\\\c;\\"d\n-- e");`;
      await applySchema({ host, port, user, password, authorities }, { sql, database: "d" });
      const [rows] = await admin.query("SELECT a FROM d.t");
      expect(rows).toEqual([{ a: text }]);
    } finally {
      admin.destroy();
    }
  });

  it("gives up waiting for a lock", async () => {
    await connection.query(`LOCK TABLES \`${database}\`.category WRITE`);
    try {
      const sql = `USE \`${database}\`; ALTER TABLE category ADD waits int;`;
      const error = await rejectionOf(applySchema({ ...testServer(), statementTimeout: 2500 }, { sql, database }));
      expect(error).toMatchObject({ code: "ER_LOCK_WAIT_TIMEOUT", line: 1 });
    } finally {
      await connection.query("UNLOCK TABLES");
    }
  });
});

describe("the connection", () => {
  const plan = { sql: "USE mysql;", database: "mysql" };

  it("is refused without the authority that signed the server's certificate", async () => {
    const error = await rejectionOf(applySchema({ ...testServer(), authorities: rdsCaCerts("us-east-1") }, plan));
    expect(error.message).toMatch(/No trusted connection to MySQL at localhost:\d+: .*certificate/);
  });

  it("is refused under a name that is not in the certificate", async () => {
    // A short way to write 0.0.0.0: the same server answers, and its certificate is not issued for this name.
    const error = await rejectionOf(applySchema({ ...testServer(), host: "0.0" }, plan));
    expect(error.message).toMatch(/No trusted connection to MySQL at 0\.0:\d+: .*certificate/);
  });

  it("names the user that was refused, and never the password", async () => {
    const error = await rejectionOf(applySchema({ ...testServer(), password: "s3cret-and-wrong" }, plan));
    expect(error).toMatchObject({ name: "SchemaError", code: "ER_ACCESS_DENIED_ERROR" });
    expect(error.message).toContain("refused the user");
    expect(JSON.stringify([error, error.message, error.stack, error.cause])).not.toContain("s3cret-and-wrong");
  });

  it("waits for a server that is still starting, for `waitSeconds` at most", async () => {
    const port = await freePort();
    const from = Date.now();
    const error = await rejectionOf(applySchema({ ...testServer(), port, waitSeconds: 1 }, plan));
    expect(error).toMatchObject({ name: "SchemaError", code: "ECONNREFUSED" });
    expect(error.message).toContain(`Cannot reach MySQL at localhost:${port} (waited 1 s)`);
    expect(Date.now() - from).toBeGreaterThanOrEqual(1000);
    // Without `waitSeconds` nothing would end the wait.
    expect(Date.now() - from).toBeLessThan(20_000);
  });

  it("succeeds once the server is there", async () => {
    const wire = await Wire.to(testServer().port);
    await wire.cut();
    const opened = setTimeout(() => wire.mend(), 600);
    try {
      const applied = await applySchema({ ...testServer(), port: wire.port, waitSeconds: 20 }, plan);
      expect(applied).toEqual({ tables: [], migrations: [] });
    } finally {
      clearTimeout(opened);
      await wire.cut();
    }
  });

  it("gives up on a server that sends nothing", async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket));
    const port = await new Promise<number>((resolve) => {
      silent.listen(0, "localhost", () => resolve((silent.address() as { port: number }).port));
    });
    try {
      const error = await rejectionOf(applySchema({ ...testServer(), port, connectTimeout: 300 }, plan));
      expect(error).toMatchObject({ name: "SchemaError", code: "ETIMEDOUT" });
    } finally {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => silent.close(resolve));
    }
  });
});
