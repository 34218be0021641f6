/** The real MySQL server behind the database instance of the stand-in, where `STANDIN_MYSQL` tells how to connect. */
import { readFileSync } from "node:fs";
import { type Connection, createConnection } from "mysql2/promise";
import type { TestMySql } from "../../support/mysql";

function server(): TestMySql | undefined {
  const told = process.env.STANDIN_MYSQL;
  return told ? JSON.parse(told) : undefined;
}

/** What AWS answers for a database; `name` stands in the address where there is no server. */
export function address(name: string) {
  const { host, port } = server() ?? { host: `${name}.us-east-1.rds.amazonaws.com`, port: 3306 };
  return { address: host, endpoint: `${host}:${port}`, port };
}

/** Makes the administrator that a new instance has. */
export async function provision(user: string, password: string): Promise<void> {
  await asRoot(async (connection) => {
    await connection.query("CREATE USER ?@'%' IDENTIFIED BY ?", [user, password]);
    await connection.query("GRANT ALL ON *.* TO ?@'%' WITH GRANT OPTION", [user]);
  });
}

/** Deletes what the deleted instance held. */
export async function clear(): Promise<void> {
  await asRoot(async (connection) => {
    const [users] = await connection.query("SELECT user FROM mysql.user WHERE user LIKE 'ecommerce%'");
    for (const { user } of users as { user: string }[]) await connection.query("DROP USER ?@'%'", [user]);
    await connection.query("DROP DATABASE IF EXISTS ecommerce_db");
  });
}

async function asRoot(work: (connection: Connection) => Promise<void>): Promise<void> {
  const root = server();
  if (root === undefined) return;
  const { host, port, user, password, caFile } = root;
  const connection = await createConnection({ host, port, user, password, ssl: { ca: readFileSync(caFile) } });
  try {
    await work(connection);
  } finally {
    await connection.end();
  }
}
