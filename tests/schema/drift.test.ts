/** Differences between two databases, as a real server describes them. */
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { applySchema } from "../../schema/apply";
import { differences, readLiveTables } from "../../schema/drift";
import type { Migration } from "../../schema/plan";
import { connectToTestServer, schemaFor, testServer } from "./support";

const [files, live] = [`drift_files_${process.pid}`, `drift_live_${process.pid}`];
const migrations: Migration[] = [
  { name: "0001_status", sql: "ALTER TABLE orders ADD Order_Status varchar(20), ALGORITHM=INSTANT;" },
  {
    name: "0002_links",
    sql: `ALTER TABLE orders_detail ADD CONSTRAINT of_order FOREIGN KEY (OD_OrderId) REFERENCES orders (Order_Id);
      CREATE VIEW totals AS SELECT Order_Total FROM orders;`,
  },
];
let connection: Connection;

const apply = (database: string) => applySchema(testServer(), { sql: schemaFor(database), database, migrations });
const shapes = async (database: string) => (await readLiveTables(testServer(), database)).shapes;
const drift = async () => differences(await shapes(files), await shapes(live));

beforeAll(async () => {
  connection = await connectToTestServer();
  await apply(files);
});
beforeEach(async () => {
  await connection.query(`DROP DATABASE IF EXISTS \`${live}\``);
  await apply(live);
  await connection.query(`USE \`${live}\``);
});
afterAll(async () => {
  for (const database of [files, live]) await connection?.query(`DROP DATABASE IF EXISTS \`${database}\``);
  await connection?.end();
});

describe("differences", () => {
  it("are none right after applying, also with rows, foreign keys and views", async () => {
    await connection.query("INSERT INTO category (Categ_Name) VALUES ('a'), ('b')");
    expect(await drift()).toEqual([]);
    expect(Object.keys(await shapes(live))).not.toContain("schema_migrations");
  });

  it("are found of each kind", async () => {
    const changes = [
      "ALTER TABLE addresses MODIFY Add_City varchar(51)",
      "ALTER TABLE category MODIFY Categ_Name varchar(100) NOT NULL",
      "ALTER TABLE orders MODIFY Order_Date datetime, DROP Order_Status, ADD extra int",
      "ALTER TABLE orders_detail DROP COLUMN OD_Quantity, MODIFY OD_Price decimal(20,2) unsigned NOT NULL DEFAULT 1",
      "ALTER TABLE orders_detail DROP FOREIGN KEY of_order",
      "ALTER TABLE products MODIFY Prod_Title varchar(100) COLLATE utf8mb4_bin NOT NULL, DROP INDEX Prod_Updated",
      "ALTER TABLE products MODIFY Prod_Updated datetime",
      "ALTER TABLE users ADD INDEX another (User_Status), ENGINE = MyISAM",
      "CREATE TABLE strange (a int)",
    ];
    for (const change of changes) await connection.query(change);
    const found = await drift();
    expect(found.map(({ table, part }) => `${table} ${part}`)).toEqual([
      "addresses `Add_City`",
      "category `Categ_Name`",
      "orders `Order_Date`",
      "orders `Order_Status`",
      "orders `extra`",
      "orders_detail CONSTRAINT `of_order`",
      "orders_detail `OD_Price`",
      "orders_detail `OD_Quantity`",
      "products KEY `Prod_Updated`",
      "products `Prod_Title`",
      "products `Prod_Updated`",
      "strange table",
      "users KEY `another`",
      "users options",
    ]);
    expect(found[0]).toMatchObject({ expected: "varchar(50) DEFAULT NULL", actual: "varchar(51) DEFAULT NULL" });
    expect(found.find(({ part }) => part === "`extra`")).toMatchObject({
      expected: undefined,
      actual: "int DEFAULT NULL",
    });
  });

  it("name a table that is missing", async () => {
    await connection.query("DROP TABLE users");
    expect(await drift()).toEqual([{ table: "users", part: "table", expected: "present", actual: undefined }]);
  });

  it("cannot be read if the database is missing", async () => {
    await expect(readLiveTables(testServer(), "no_such_db")).rejects.toThrow('There is no database "no_such_db"');
  });
});
