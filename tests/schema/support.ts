import { readFileSync } from "node:fs";
import path from "node:path";
import { type Connection, createConnection } from "mysql2/promise";
import { inject } from "vitest";
import type { SchemaServer } from "../../schema/connection";

export const schemaFile = readFileSync(path.resolve(__dirname, "../../schema/ecommerceSchema.sql"), "utf8");

/** The run's own MySQL server, as the schema runner takes it. */
export function testServer(): SchemaServer {
  const { host, port, user, password, caFile } = inject("mysql");
  return { host, port, user, password, authorities: readFileSync(caFile, "utf8") };
}

/** A connection of the test's own, past the runner. Temporal values come as text. */
export async function connectToTestServer(): Promise<Connection> {
  const { host, port, user, password, authorities } = testServer();
  const ssl = { ca: authorities, verifyIdentity: true };
  return createConnection({ host, port, user, password, ssl, dateStrings: true });
}

/** The schema file with another database's name, because the server is shared by the whole run. */
export function schemaFor(database: string): string {
  return schemaFile.replaceAll("`ecommerce_db`", `\`${database}\``);
}
