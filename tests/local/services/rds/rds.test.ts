/** Aurora clusters and RDS Proxy, simulated on the test run's one server behind the project's certificate. */
import { randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, vi } from "vitest";
import { freePort } from "../../../../cli/ports";
import { Database } from "../../../../functions/registerUser/database";
import { createConnect } from "../../../../functions/shared/connection";
import type { ResourceRegistration } from "../../../../host/resources";
import type { ServiceContext } from "../../../../local/lib/service";
import { findMySql } from "../../../../local/mysql/sources";
import { Iam } from "../../../../local/services/iam/iam";
import { MySql } from "../../../../local/services/rds/MySql";
import { RdsProxies } from "../../../../local/services/rds/rdsProxy";
import { SecretsManager } from "../../../../local/services/secretsmanager/secretsManager";
import { refusal } from "../../../support/failures";
import { queryOnce } from "../../mysql/support";

const server = inject("mysql");
const master = { masterUsername: "aurora_admin", masterPassword: "Master-Passw0rd!" };
const directory = mkdtempSync(path.join(os.tmpdir(), "rds-"));
const ports = new Map<string, number>();
let reported: string[] = [];
const context: ServiceContext = {
  directory,
  region: "us-east-1",
  accountId: "123456789012",
  port: async (use) => ports.get(use) ?? ports.set(use, await freePort()).get(use)!,
  info: (line) => reported.push(line),
};

let mysql: MySql;
let iam: Iam;
let secrets: SecretsManager;
let proxies: RdsProxies;
beforeAll(async () => {
  const password = encodeURIComponent(server.password);
  const url = `mysql://${server.user}:${password}@${server.host}:${server.port}`;
  mysql = await MySql.start(context, (say) => findMySql(say, { LOCAL_MYSQL_URL: url }));
  iam = new Iam(context);
  secrets = await SecretsManager.start(context, iam);
  proxies = new RdsProxies(context, { iam, mysql, secretsEndpoint: secrets.endpoint });
});
afterAll(async () => {
  await asRoot("DROP USER IF EXISTS aurora_admin, aurora_app, aurora_other");
  for (const part of [proxies, proxies, secrets, mysql]) await part.close();
  rmSync(directory, { recursive: true });
});
beforeEach(() => {
  reported = [];
});

async function make(type: string, name: string, inputs: Record<string, unknown>): Promise<any> {
  const handler = [mysql, iam, secrets, proxies].map(({ handlers }) => handlers[type]).find(Boolean);
  if (!handler) throw new Error(`no handler for ${type}`);
  const resource: ResourceRegistration = { type, name, inputs };
  const { id, outputs } = await handler(resource);
  return { id, ...outputs };
}
async function connect(port: number, user: string, password: string, tls = true) {
  const ssl = tls ? { ca: readFileSync(mysql.caFile, "utf8"), verifyIdentity: true } : undefined;
  return createConnection({ host: "localhost", port, user, password, ssl });
}
const query = (port: number, user: string, password: string, sql: string, tls = true) =>
  queryOnce({ host: "localhost", port, user, password, caFile: mysql.caFile }, sql, tls);
const asRoot = (sql: string) => query(mysql.administrator.port, server.user, server.password, sql);

const groupType = "aws:rds/clusterParameterGroup:ClusterParameterGroup";
const clusterType = "aws:rds/cluster:Cluster";
const memberType = "aws:rds/clusterInstance:ClusterInstance";
const capacity = { minCapacity: 0.5, maxCapacity: 4 };
const cluster = (inputs = {}) =>
  make(clusterType, "database", {
    engine: "aurora-mysql",
    engineVersion: "8.0",
    serverlessv2ScalingConfiguration: capacity,
    dbClusterParameterGroupName: "shop",
    ...master,
    ...inputs,
  });
const member = (name: string, inputs = {}) =>
  make(memberType, name, {
    engine: "aurora-mysql",
    clusterIdentifier: "database",
    instanceClass: "db.serverless",
    ...inputs,
  });

describe("an Aurora cluster", () => {
  beforeAll(() => {
    const parameters = [
      { name: "require_secure_transport", value: "ON" },
      { name: "aurora_parallel_query", value: "1" },
    ];
    return make(groupType, "shop", { family: "aurora-mysql8.0", parameters });
  });

  it("returns the outputs that RDS returns; the reader endpoint is the same server", async () => {
    const outputs = await cluster();
    expect(outputs).toMatchObject({
      id: "database",
      clusterIdentifier: "database",
      endpoint: "localhost",
      readerEndpoint: "localhost",
      port: mysql.administrator.port,
      arn: "arn:aws:rds:us-east-1:123456789012:cluster:database",
      clusterResourceId: expect.stringMatching(/^cluster-[0-9A-Z]{26}$/),
    });
    expect(mysql.database).toMatchObject({ kind: "cluster", identifier: "database" });
  });

  it("refuses the master user before it has an instance; its first instance is the writer", async () => {
    await cluster();
    const asMaster = () => query(mysql.administrator.port, master.masterUsername, master.masterPassword, "SELECT 1");
    await expect(asMaster()).rejects.toMatchObject({ errno: 1045 });
    expect(await member("database-writer")).toMatchObject({
      identifier: "database-writer",
      endpoint: "localhost",
      port: mysql.administrator.port,
      writer: true,
    });
    await asMaster();
    expect(await member("database-reader")).toMatchObject({ writer: false });
    expect((await member("database-writer")).writer).toBe(true);
    expect(reported.join()).toContain("aurora_parallel_query");
  });

  it.each<[object, RegExp]>([
    [{ engine: "mysql" }, /engine is "mysql", and must be aurora-mysql/],
    [{ engineMode: "serverless" }, /engineMode is "serverless", and must be provisioned/],
    [{ engineVersion: "5.7.mysql_aurora.2.11.1" }, /must be 8\.0 or newer/],
    [{ masterPassword: "short" }, /masterPassword is not 8 to 41/],
    [{ masterUsername: undefined }, /masterUsername is not set/],
    [{ backupRetentionPeriod: 0 }, /backupRetentionPeriod is 0, and must be 1 to 35/],
    [{ dbClusterParameterGroupName: "unheard" }, /no such group is registered/],
    [{ engineVersion: "8.4" }, /group shop is for aurora-mysql8\.0, and engine is aurora-mysql, engineVersion is 8\.4/],
    ...[{ minCapacity: 4, maxCapacity: 2 }, { minCapacity: 0.3, maxCapacity: 2 }, { maxCapacity: 257 }].map(
      (wrong): [object, RegExp] => [{ serverlessv2ScalingConfiguration: wrong }, /in steps of 0\.5/],
    ),
  ])("refuses what RDS would refuse: %o", async (inputs, message) => {
    const error = await refusal(cluster(inputs));
    expect(error).toMatch(message);
    expect(error).not.toContain("short");
  });

  it("refuses an instance of an unknown cluster, and a class that its cluster cannot have", async () => {
    expect(await refusal(member("lost", { clusterIdentifier: "unheard" }))).toContain("clusters: database");
    await cluster({ serverlessv2ScalingConfiguration: undefined });
    expect(await refusal(member("database-writer"))).toContain("has no serverlessv2ScalingConfiguration");
    await cluster();
  });

  it("is the only database", async () => {
    const instance = { engine: "mysql", username: "other", password: master.masterPassword };
    expect(await refusal(make("aws:rds/instance:Instance", "second", instance))).toContain(
      '"database" is that database already',
    );
  });
});

describe("RDS Proxy", () => {
  const name = "database-proxy";
  let secretArn: string;
  let roleArn: string;
  let port: number;
  const trusted = (Service: string) => ({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service } }],
  });
  const allow = (Resource: string) =>
    make("aws:iam/rolePolicy:RolePolicy", "read", {
      role: roleArn,
      policy: {
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action: "secretsmanager:GetSecretValue", Resource }],
      },
    });
  const write = (value: object | string) =>
    make("aws:secretsmanager/secretVersion:SecretVersion", "value", {
      secretId: secretArn,
      secretString: typeof value === "string" ? value : JSON.stringify(value),
    });
  const proxy = (inputs = {}) =>
    make("aws:rds/proxy:Proxy", name, {
      engineFamily: "MYSQL",
      requireTls: true,
      roleArn,
      vpcSubnetIds: ["subnet-1", "subnet-2"],
      vpcSecurityGroupIds: ["group"],
      auths: [{ authScheme: "SECRETS", secretArn, iamAuth: "DISABLED" }],
      ...inputs,
    });
  const target = (inputs = {}) =>
    make("aws:rds/proxyTarget:ProxyTarget", "target", {
      dbProxyName: name,
      targetGroupName: "default",
      dbClusterIdentifier: "database",
      ...inputs,
    });
  const password = `pw-${randomUUID()}`;
  const secret = { username: "aurora_app", password };

  beforeAll(async () => {
    await asRoot(`CREATE USER aurora_app IDENTIFIED BY '${password}'`);
    await asRoot(`CREATE USER aurora_other IDENTIFIED BY '${password}'`);
    ({ arn: secretArn } = await make("aws:secretsmanager/secret:Secret", "shop", { name: "shop" }));
    const role = { name: "proxy", assumeRolePolicy: trusted("rds.amazonaws.com") };
    ({ arn: roleArn } = await make("aws:iam/role:Role", "proxy", role));
    expect(await proxy()).toMatchObject({
      id: name,
      endpoint: "localhost",
      arn: expect.stringContaining(":db-proxy:"),
    });
    port = ports.get(`proxy ${name}`)!;
  });

  it("refuses all connections before it has a target", async () => {
    await expect(connect(port, secret.username, password)).rejects.toMatchObject({ errno: 9501 });
    expect(await proxies.problems()).toEqual([`the proxy "${name}" has no target`]);
  });

  it("accepts only its one group and the one database", async () => {
    const pool = (connectionPoolConfig: object) =>
      make("aws:rds/proxyDefaultTargetGroup:ProxyDefaultTargetGroup", "group", {
        dbProxyName: name,
        connectionPoolConfig,
      });
    expect((await pool({ maxConnectionsPercent: 90, connectionBorrowTimeout: 2 })).name).toBe("default");
    expect(await refusal(pool({ maxConnectionsPercent: 101 }))).toContain("must be 1 to 100 (percent)");
    expect(await refusal(target({ targetGroupName: "other" }))).toContain("must be default");
    expect(await refusal(target({ dbProxyName: "unheard" }))).toContain(`proxies: ${name}`);
    expect(await refusal(target({ dbClusterIdentifier: "x" }))).toContain("databases: the cluster database");
    const instance = { dbClusterIdentifier: undefined, dbInstanceIdentifier: "database" };
    expect(await refusal(target(instance))).toContain("there is no instance database");
    expect(await target()).toMatchObject({ port, type: "TRACKED_CLUSTER", rdsResourceId: "database" });
  });

  it("needs a role that may read a secret with a username and a password", async () => {
    await target();
    const expectRefusal = async (reason: RegExp) => {
      const [error] = await proxies.problems();
      expect(error).toMatch(reason);
      expect(error).toContain(`the proxy "${name}" cannot use its secret: `);
      reported = [];
      await expect(connect(port, secret.username, password)).rejects.toMatchObject({ errno: 1045 });
      expect(reported.join()).toMatch(reason);
      expect(`${error}${reported.join()}`).not.toContain(password);
    };
    await write(secret);
    await expectRefusal(/not authorized to perform: secretsmanager:GetSecretValue/);
    await allow("arn:aws:secretsmanager:us-east-1:123456789012:secret:other-*");
    await expectRefusal(/not authorized to perform: secretsmanager:GetSecretValue/);
    await allow(secretArn);
    await write({ username: "aurora_app", password: "" });
    await expectRefusal(/no username or no password/);
    await write(`${password} is no JSON`);
    await expectRefusal(/it holds no JSON/);
    await write(secret);
    expect(await proxies.problems()).toEqual([]);
  });

  it("connects only the secret's user to the server, which it verifies by name", async () => {
    const [row] = await query(
      port,
      secret.username,
      password,
      "SELECT CURRENT_USER() AS me, REPEAT('x', 70000) AS long_",
    );
    expect(row).toEqual({ me: "aurora_app@%", long_: "x".repeat(70_000) });
    await expect(connect(port, secret.username, "wrong")).rejects.toMatchObject({ errno: 1045 });
    for (const [user, known] of [
      ["aurora_other", password],
      [master.masterUsername, master.masterPassword],
    ] as const) {
      await query(mysql.administrator.port, user, known, "SELECT 1");
      await expect(connect(port, user, known)).rejects.toMatchObject({
        errno: 1045,
        message: expect.stringContaining(`no secret of the proxy ${name} holds that user`),
      });
    }
  });

  it("while it has no free connection, the registration function asks it again", async () => {
    await make("aws:rds/proxy:Proxy", "late", {
      engineFamily: "MYSQL",
      requireTls: true,
      roleArn,
      vpcSubnetIds: ["subnet-1", "subnet-2"],
      auths: [{ authScheme: "SECRETS", secretArn }],
    });
    const known = { ...secret, engine: "mysql", host: "localhost", port: ports.get("proxy late")! };
    const readSecret = vi.fn(async () => ({ ...known, dbClusterIdentifier: "database" }));
    const database = new Database(readSecret, createConnect({ NODE_EXTRA_CA_CERTS: mysql.caFile }));
    const end = performance.now() + 5000;
    const left = () => end - performance.now();
    const answer = database.run((connection) => connection.execute("SELECT 1 AS one", [], left), left);
    await sleep(200);
    await target({ dbProxyName: "late" });
    expect(await answer).toEqual([{ one: 1 }]);
    database.close();
    expect(readSecret).toHaveBeenCalledTimes(1);
  });

  it("refuses a connection without TLS if requireTls is set", async () => {
    await expect(connect(port, secret.username, password, false)).rejects.toMatchObject({ errno: 3159 });
  });

  it("serves many connections at once", async () => {
    const all = Array.from({ length: 20 }, (_, n) => query(port, secret.username, password, `SELECT ${n} AS n`));
    expect((await Promise.all(all)).map(([row]) => row.n)).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });

  it.each<[object, RegExp]>([
    [{ engineFamily: "POSTGRESQL" }, /engineFamily is "POSTGRESQL", and must be MYSQL/],
    [{ defaultAuthScheme: "IAM_AUTH" }, /IAM authentication is not simulated/],
    [{ vpcSubnetIds: ["subnet-1"] }, /at least two subnets/],
    [{ auths: [] }, /auths is empty/],
    [{ auths: [{ authScheme: "SECRETS" }] }, /secretArn is not set/],
    [{ auths: [{ secretArn: "arn:x", iamAuth: "REQUIRED" }] }, /IAM authentication is not simulated/],
    [{ auths: [{ secretArn: "arn:x", clientPasswordAuthType: "POSTGRES_MD5" }] }, /clientPasswordAuthType is/],
  ])("refuses what RDS would refuse: %o", async (inputs, message) => {
    expect(await refusal(proxy(inputs))).toMatch(message);
  });

  it("refuses a role that RDS cannot assume", async () => {
    const role = { name: "lambdas", assumeRolePolicy: trusted("lambda.amazonaws.com") };
    const { arn } = await make("aws:iam/role:Role", "lambdas", role);
    expect(await refusal(proxy({ roleArn: arn }))).toContain("RDS is not authorized to assume the role");
  });
});
