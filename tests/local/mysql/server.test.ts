import { readFileSync } from "node:fs";
import { createConnection } from "mysql2/promise";
import { expect, inject, it } from "vitest";

it("runs one server for the whole test run, reached by its verified name", async () => {
  const { host, port, user, password, caFile } = inject("mysql");
  const ssl = { ca: readFileSync(caFile, "utf8"), verifyIdentity: true };
  const connection = await createConnection({ host, port, user, password, ssl });
  const [rows] = await connection.query("SELECT @@version AS version, @@time_zone AS zone");
  expect(rows).toMatchObject([{ zone: "+00:00" }]);
  await connection.end();
});
