/** Support of the tests of the local MySQL: a folder, the inputs of an instance, and a way to run one statement. */
import { mkdtemp, readFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { createConnection } from "mysql2/promise";
import { freePort } from "../../../cli/ports";
import type { CreateResult, ResourceRegistration } from "../../../host/resources";
import type { ServiceContext } from "../../../local/lib/service";
import type { MySql } from "../../../local/services/rds/MySql";

export const groupType = "aws:rds/parameterGroup:ParameterGroup";
export const instanceType = "aws:rds/instance:Instance";

export const master = { username: "shop_admin", password: "Master-Passw0rd!" };
export const instance = {
  engine: "mysql",
  engineVersion: "8.4",
  instanceClass: "db.t4g.micro",
  allocatedStorage: 20,
  ...master,
};
export const group = {
  name: "shop",
  family: "mysql8.4",
  parameters: [{ name: "require_secure_transport", value: "1" }],
};

/** A new temporary folder, which the caller removes, and one port. */
export async function newContext(say: (line: string) => void): Promise<ServiceContext> {
  const port = await freePort();
  return {
    directory: await mkdtemp(path.join(os.tmpdir(), "handlers-")),
    region: "us-east-1",
    accountId: "123456789012",
    port: async () => port,
    info: say,
  };
}

/** Creates the resource as the program's host would. */
export async function makeBy(
  { handlers }: Pick<MySql, "handlers">,
  type: string,
  inputs: object,
  extra: Partial<ResourceRegistration> = {},
): Promise<CreateResult> {
  const handler = handlers[type];
  if (handler === undefined) throw new Error(`no handler for ${type}`);
  return handler({ type, name: "thing", inputs: { ...inputs }, ...extra });
}

/** The server to connect to, and the account. */
export interface Login {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly caFile: string;
}

/**
 * Runs one statement on a new connection.
 *
 * @param tls whether the connection is encrypted and the server verified
 */
export async function queryOnce(to: Login, sql: string, tls = true): Promise<any[]> {
  const { host, port, user, password, caFile } = to;
  const ssl = tls ? { ca: await readFile(caFile, "utf8"), verifyIdentity: true } : undefined;
  const connection = await createConnection({ host, port, user, password, ssl });
  try {
    const [rows] = await connection.query<any[]>(sql);
    return rows;
  } finally {
    connection.destroy();
  }
}
