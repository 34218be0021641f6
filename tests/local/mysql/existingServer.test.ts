/** A server that is already running, named by LOCAL_MYSQL_URL, instead of one that is started here. */
import { readFile, rm } from "node:fs/promises";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { findMySql } from "../../../local/mysql/sources";
import { MySql } from "../../../local/services/rds/MySql";
import { refusal } from "../../support/failures";
import { group, groupType, instance, instanceType, makeBy, master, newContext, queryOnce } from "./support";

const lines: string[] = [];
const { host, port, user, password, caFile } = inject("mysql");
const shared = async (sql: string) => {
  const ssl = { ca: await readFile(caFile, "utf8"), verifyIdentity: true };
  const connection = await createConnection({ host, port, user, password, ssl, multipleStatements: true });
  await connection.query(sql);
  await connection.end();
};
beforeAll(() => shared("CREATE USER url_boss IDENTIFIED BY 'p%40 ss'; GRANT ALL ON *.* TO url_boss WITH GRANT OPTION"));
afterAll(() => shared("DROP USER IF EXISTS url_boss, url_admin"));

it("is reached with the project's certificate, keeps its settings, and is used by the same program", async () => {
  const url = `mysql://url_boss:p%2540%20ss@${host}:${port}`;
  const context = await newContext((line) => lines.push(line));
  const part = await MySql.start(context, (say) => findMySql(say, { LOCAL_MYSQL_URL: url }));
  try {
    expect(part.description).toMatch(/^MySQL \d+\.\d+\.\d+, the server at localhost:\d+ \(LOCAL_MYSQL_URL\)$/);
    expect(part.administrator).toMatchObject({ host: "127.0.0.1", user: "url_boss", password: "p%40 ss" });
    expect(part.administrator.port).not.toBe(port);
    const parameters = [...group.parameters, { name: "max_connections", value: "9" }];
    await makeBy(part, groupType, { ...group, parameters });
    const inputs = { ...instance, username: "url_admin", parameterGroupName: "shop" };
    await makeBy(part, instanceType, inputs);
    expect(lines.join()).toContain("max_connections is not applied to the server at");
    const [row] = await queryOnce(
      { ...part.administrator, user: "url_admin", password: master.password, caFile: part.caFile },
      "SELECT @@max_connections AS n",
    );
    expect(row.n).toBeGreaterThan(9);
    // Otherwise the server's administrator would no longer have the password that is in LOCAL_MYSQL_URL.
    expect(await refusal(makeBy(part, instanceType, { ...inputs, username: "url_boss" }))).toContain(
      "this machine's administrator",
    );
  } finally {
    await part.close();
    await rm(context.directory, { recursive: true });
  }
});
