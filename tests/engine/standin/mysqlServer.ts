/** The real MySQL servers behind the databases of the stand-in; `STANDIN_MYSQL` contains how to connect to them. */
import { readFileSync } from "node:fs";
import { type Connection, createConnection } from "mysql2/promise";
import type { TestMySql } from "../../support/mysql";

/** A server for the instance, and one for the cluster: while a stack moves from one to the other, both exist. */
export interface Servers {
  readonly instance?: TestMySql;
  readonly cluster?: TestMySql;
}
export type ServerKind = keyof Servers;

const kinds: Readonly<Record<string, ServerKind>> = {
  "aws:rds/instance:Instance": "instance",
  "aws:rds/cluster:Cluster": "cluster",
};

/** @returns undefined for a resource that is not a database server */
export const serverKindOf = (type: string): ServerKind | undefined => kinds[type];

/** @returns undefined if the test passed no server for this kind */
export function serverOf(kind: ServerKind): TestMySql | undefined {
  return (JSON.parse(process.env.STANDIN_MYSQL ?? "{}") as Servers)[kind];
}

/** The address of a database; without a server it is made from `name`. */
export function address(kind: ServerKind, name: string) {
  const { host, port } = serverOf(kind) ?? { host: `${name}.us-east-1.rds.amazonaws.com`, port: 3306 };
  return { host, port };
}

/** Creates the administrator of a new server. */
export async function provision(root: TestMySql | undefined, user: string, password: string): Promise<void> {
  await asRoot(root, async (connection) => {
    await connection.query("CREATE USER ?@'%' IDENTIFIED BY ?", [user, password]);
    await connection.query("GRANT ALL ON *.* TO ?@'%' WITH GRANT OPTION", [user]);
  });
}

/** Deletes the content of a server that is deleted or lost. */
export async function clear(root: TestMySql | undefined): Promise<void> {
  await asRoot(root, async (connection) => {
    const [users] = await connection.query("SELECT user FROM mysql.user WHERE user LIKE 'ecommerce%'");
    for (const { user } of users as { user: string }[]) await connection.query("DROP USER ?@'%'", [user]);
    await connection.query("DROP DATABASE IF EXISTS ecommerce_db");
  });
}

/** Runs statements on a server as the test server's root, which the program does not know. */
export async function asRoot(root: TestMySql | undefined, work: (connection: Connection) => Promise<void>) {
  if (root === undefined) return;
  const { host, port, user, password, caFile } = root;
  const connection = await createConnection({ host, port, user, password, ssl: { ca: readFileSync(caFile) } });
  try {
    await work(connection);
  } finally {
    await connection.end();
  }
}
