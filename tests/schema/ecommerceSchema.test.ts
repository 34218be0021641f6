import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { applySchema } from "../../schema/apply";
import { createdTables, statementsOf } from "../../schema/statements";
import { connectToTestServer, schemaFile, schemaFor, testServer } from "./support";

/** One documented column: name, type, "null" or "not null", default, and what MySQL lists as extra. */
type Column = [name: string, type: string, nullable: "null" | "not null", standard: string | null, extra?: string];

const counter = (name: string): Column => [name, "int unsigned", "not null", null, "auto_increment"];

/** The documents, column by column. Written from them, not from the file under test. */
const documented: Record<string, Column[]> = {
  addresses: [
    counter("Add_Id"),
    ["Add_UserID", "char(36)", "not null", ""],
    ["Add_Address", "varchar(100)", "null", null],
    ["Add_City", "varchar(50)", "null", null],
    ["Add_State", "varchar(50)", "null", null],
    ["Add_PostalCode", "varchar(10)", "null", null],
    ["Add_Phone", "varchar(40)", "null", null],
    ["Add_Title", "varchar(50)", "null", null],
    ["Add_Name", "varchar(60)", "null", null],
  ],
  category: [
    counter("Categ_Id"),
    ["Categ_Name", "varchar(100)", "null", null],
    ["Categ_Path", "varchar(150)", "null", null],
  ],
  orders: [
    counter("Order_Id"),
    ["Order_UserUUID", "char(36)", "null", null],
    ["Order_AddId", "int unsigned", "null", null],
    ["Order_Date", "datetime", "null", "CURRENT_TIMESTAMP", "DEFAULT_GENERATED"],
    ["Order_Total", "decimal(20,2)", "null", "0.00"],
  ],
  orders_detail: [
    counter("OD_Id"),
    ["OD_OrderId", "int unsigned", "not null", null],
    ["OD_ProdId", "int unsigned", "not null", null],
    ["OD_Quantity", "mediumint unsigned", "not null", "0"],
    ["OD_Price", "decimal(20,2) unsigned", "not null", "0.00"],
  ],
  products: [
    counter("Prod_Id"),
    ["Prod_Title", "varchar(100)", "not null", null],
    ["Prod_Description", "varchar(6500)", "null", null],
    ["Prod_CreatedAt", "datetime", "null", "CURRENT_TIMESTAMP", "DEFAULT_GENERATED"],
    ["Prod_Updated", "datetime", "null", null, "on update CURRENT_TIMESTAMP"],
    ["Prod_Price", "decimal(20,2) unsigned", "not null", "0.00"],
    ["Prod_Path", "varchar(100)", "null", null],
    ["Prod_CategoryId", "mediumint", "null", null],
    ["Prod_Stock", "int", "null", "0"],
  ],
  users: [
    ["User_UUID", "char(36)", "not null", null],
    ["User_Email", "varchar(100)", "not null", ""],
    ["User_FirstName", "varchar(20)", "null", null],
    ["User_LastName", "varchar(20)", "null", null],
    ["User_Status", "tinyint unsigned", "not null", "1"],
    ["User_DateAdd", "datetime", "not null", null],
    ["User_DateUpg", "datetime", "null", null],
  ],
};

/** Primary key, unique columns and other indexed columns of each table; every documented index has one column. */
const documentedIndexes: Record<string, { primary: string; unique: string[]; indexed: string[] }> = {
  addresses: { primary: "Add_Id", unique: [], indexed: ["Add_UserID"] },
  category: { primary: "Categ_Id", unique: [], indexed: [] },
  orders: { primary: "Order_Id", unique: [], indexed: ["Order_AddId", "Order_Date", "Order_UserUUID"] },
  orders_detail: { primary: "OD_Id", unique: [], indexed: ["OD_OrderId", "OD_ProdId"] },
  products: { primary: "Prod_Id", unique: [], indexed: ["Prod_CategoryId", "Prod_CreatedAt", "Prod_Updated"] },
  users: { primary: "User_UUID", unique: ["User_Email"], indexed: ["User_DateAdd"] },
};

const database = `schema_documented_${process.pid}`;
let connection: Connection;

async function rows(sql: string): Promise<RowDataPacket[]> {
  const [found] = await connection.query<RowDataPacket[]>(sql, [database]);
  return found;
}

beforeAll(async () => {
  connection = await connectToTestServer();
  await applySchema(testServer(), { sql: schemaFor(database), database });
});

afterAll(async () => {
  await connection?.query(`DROP DATABASE IF EXISTS \`${database}\``);
  await connection?.end();
});

describe("S3: ecommerceSchema.sql", () => {
  it("makes and uses the documented database", () => {
    const named = statementsOf(schemaFile).flatMap(({ tokens: [first, second, ...rest] }) =>
      first?.text === "USE" ? [second?.text] : second?.text === "DATABASE" ? [rest.at(3)?.text] : [],
    );
    expect(named).toEqual(["ecommerce_db", "ecommerce_db"]);
  });

  it("gives the database the documented charset and collation", async () => {
    const sql = `SELECT DEFAULT_CHARACTER_SET_NAME AS charset, DEFAULT_COLLATION_NAME AS collation
      FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?`;
    expect(await rows(sql)).toEqual([{ charset: "utf8mb4", collation: "utf8mb4_0900_ai_ci" }]);
  });

  it("makes the six documented tables and no other, each InnoDB with the documented collation", async () => {
    const sql = `SELECT TABLE_NAME AS name, ENGINE AS engine, TABLE_COLLATION AS collation
      FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? ORDER BY TABLE_NAME`;
    expect(await rows(sql)).toEqual(
      ["addresses", "category", "orders", "orders_detail", "products", "users"].map((name) => ({
        name,
        engine: "InnoDB",
        collation: "utf8mb4_0900_ai_ci",
      })),
    );
    expect(createdTables(statementsOf(schemaFile)).sort()).toEqual(Object.keys(documented));
  });

  it.each(Object.keys(documented))("%s has the documented columns", async (table) => {
    const sql = `SELECT COLUMN_NAME AS name, COLUMN_TYPE AS type, IS_NULLABLE AS nullable, COLUMN_DEFAULT AS standard,
        EXTRA AS extra, COLLATION_NAME AS collation
      FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = '${table}' ORDER BY ORDINAL_POSITION`;
    expect(await rows(sql)).toEqual(
      documented[table]!.map(([name, type, nullable, standard, extra = ""]) => ({
        name,
        type,
        nullable: nullable === "null" ? "YES" : "NO",
        standard,
        extra,
        collation: /char/.test(type) ? "utf8mb4_0900_ai_ci" : null,
      })),
    );
  });

  it.each(Object.keys(documented))("%s has the documented indexes", async (table) => {
    const sql = `SELECT INDEX_NAME AS name, NON_UNIQUE AS many, GROUP_CONCAT(COLUMN_NAME ORDER BY SEQ_IN_INDEX) AS columns_
      FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = '${table}'
      GROUP BY INDEX_NAME, NON_UNIQUE ORDER BY columns_`;
    const indexes = await rows(sql);
    const columns = (wanted: (index: RowDataPacket) => boolean) =>
      indexes.filter(wanted).map((index) => index.columns_);
    expect({
      primary: columns(({ name }) => name === "PRIMARY").join(),
      unique: columns(({ name, many }) => name !== "PRIMARY" && many === 0),
      indexed: columns(({ many }) => many === 1),
    }).toEqual(documentedIndexes[table]);
  });

  it("can be applied again and keeps every row", async () => {
    await connection.query(`INSERT INTO \`${database}\`.users (User_UUID, User_Email, User_DateAdd)
      VALUES ('00000000-0000-4000-8000-000000000001', 'jörg@example.com', '2026-01-02 03:04:05')`);
    const before = await rows(`SELECT *, ? AS ignored FROM \`${database}\`.users`);
    const again = await applySchema(testServer(), { sql: schemaFor(database), database });
    expect(again).toEqual({ migrations: [], tables: expect.arrayContaining(Object.keys(documented)) });
    expect(await rows(`SELECT *, ? AS ignored FROM \`${database}\`.users`)).toEqual(before);
    expect(before).toMatchObject([{ User_Email: "jörg@example.com", User_Status: 1, User_DateUpg: null }]);
  });
});
