/** An instance and Aurora, each with and without RDS Proxy: addresses, rules of security groups, logs. */
import { beforeAll, describe, expect, it } from "vitest";
import { arnOf, idOf, type Recorded, recordProgram } from "../support/program";
import { registrations } from "../support/registrations";

const combinations = [
  { kind: "instance", proxy: false, host: "database.example.com", identifier: "database-1" },
  { kind: "instance", proxy: true, host: "proxy.example.com", identifier: "database-1" },
  { kind: "aurora", proxy: false, host: "cluster.example.com", identifier: "cluster-1" },
  { kind: "aurora", proxy: true, host: "proxy.example.com", identifier: "cluster-1" },
] as const;

/** `a → b` for each pair of rules that allow group a to connect to MySQL in group b. */
function mysqlFlows(program: Recorded): string[] {
  const rules = (direction: string) =>
    program
      .all(`aws:vpc/securityGroup${direction}Rule:SecurityGroup${direction}Rule`)
      .map(({ inputs }) => inputs)
      .filter(({ fromPort, toPort }) => fromPort === 3306 && toPort === 3306);
  const name = (id: unknown) => String(id).replace(/^network-(.*)-id$/, "$1");
  const ingress = rules("Ingress").map((to) => `${name(to.referencedSecurityGroupId)} → ${name(to.securityGroupId)}`);
  const egress = rules("Egress").map(
    (from) => `${name(from.securityGroupId)} → ${name(from.referencedSecurityGroupId)}`,
  );
  expect(ingress.toSorted()).toEqual(egress.toSorted());
  return egress.toSorted();
}

describe.each(combinations)("$kind, proxy: $proxy", ({ kind, proxy, host, identifier }) => {
  const direct = kind === "aurora" ? "cluster.example.com" : "database.example.com";
  let program: Recorded;
  beforeAll(async () => {
    const database = JSON.stringify({ kind, proxy });
    program = await recordProgram({ "ecommerce:database": database, "ecommerce:secret": '{"rotationDays":30}' });
  });

  it("has the proxy's address in the secret if there is one, otherwise the database's", () => {
    const { secretString } = program.one("aws:secretsmanager/secretVersion:SecretVersion").inputs;
    expect(JSON.parse(String(secretString))).toEqual({
      username: "ecommerce_register",
      password: "password-of-schema-user-password",
      engine: "mysql",
      host,
      // All of RDS's proxies listen on 3306; an instance's target may have another port, for the relay of `npm start`.
      port: proxy && kind === "instance" ? 3307 : 3306,
      dbClusterIdentifier: identifier,
    });
  });

  it("gives schema and rotation the address of the database itself", () => {
    const { input } = program.one("aws:lambda/invocation:Invocation").inputs;
    expect(JSON.parse(String(input)).server).toMatchObject({ host: direct, port: 3306, user: "ecommerce_admin" });
    const { environment } = program.one("aws:lambda/function:Function", "rotate-secret").inputs;
    expect((environment as any).variables).toMatchObject({ DatabaseHost: direct, SecretHost: host });
  });

  it("allows only the needed connections to MySQL", () => {
    const behind = proxy ? ["function → proxy", "proxy → database"] : [];
    expect(mysqlFlows(program)).toEqual(["function → database", ...behind].toSorted());
    expect(program.all("aws:ec2/internetGateway:InternetGateway")).toEqual([]);
    expect(program.all("aws:ec2/route:Route")).toEqual([]);
  });

  it("is one database of this kind, in the database's subnets and group, encrypted, TLS only, with its error log", () => {
    const common = {
      storageEncrypted: true,
      port: 3306,
      dbSubnetGroupName: "database-subnets",
      vpcSecurityGroupIds: [idOf({ name: "network-database" })],
      backupRetentionPeriod: 7,
      copyTagsToSnapshot: true,
      enabledCloudwatchLogsExports: ["error"],
    };
    const parameters = (value: string) => [
      { name: "require_secure_transport", value },
      { name: "max_connect_errors", value: "4294967295" },
    ];
    if (kind === "instance") {
      expect(program.all("aws:rds/cluster:Cluster")).toEqual([]);
      const instance = program.one("aws:rds/instance:Instance").inputs;
      expect(instance).toMatchObject({ ...common, engine: "mysql", parameterGroupName: "database-parameters" });
      expect(program.one("aws:rds/parameterGroup:ParameterGroup").inputs.parameters).toEqual(parameters("1"));
      return;
    }
    expect(program.all("aws:rds/instance:Instance")).toEqual([]);
    expect(program.one("aws:rds/cluster:Cluster").inputs).toMatchObject({
      ...common,
      engine: "aurora-mysql",
      dbClusterParameterGroupName: "database-parameters",
      serverlessv2ScalingConfiguration: { minCapacity: 0.5, maxCapacity: 4 },
    });
    expect(program.one("aws:rds/clusterParameterGroup:ClusterParameterGroup").inputs).toMatchObject({
      family: "aurora-mysql8.0",
      parameters: parameters("ON"),
    });
    const members = program.all("aws:rds/clusterInstance:ClusterInstance");
    expect(members.map(({ name }) => name)).toEqual(["database-writer", "database-reader"]);
    for (const { inputs } of members) {
      expect(inputs).toMatchObject({
        clusterIdentifier: "database-id",
        instanceClass: "db.serverless",
        promotionTier: 1,
      });
      expect(inputs.publiclyAccessible).toBe(false);
    }
  });

  it("makes the log groups of database and proxy first, with the same retention as all others", async () => {
    const database = JSON.stringify({ access: "private", kind, proxy });
    const all = await registrations("staging", { "ecommerce:database": database });
    const found = (type: string) => all.find((one) => one.type === type)!;
    const server = found(kind === "aurora" ? "aws:rds/cluster:Cluster" : "aws:rds/instance:Instance");
    const key = kind === "aurora" ? "clusterIdentifier" : "identifier";
    const log = all.find(({ name }) => name === "database-error-log")!;

    expect(server.inputs[key]).toBe("ecommerce-database-staging");
    expect(log.inputs.name).toBe(
      `/aws/rds/${kind === "aurora" ? "cluster" : "instance"}/ecommerce-database-staging/error`,
    );
    expect(log.inputs.retentionInDays).toBe(14);
    expect([server.options.dependsOn].flat().map((one) => (one as any).__name)).toEqual([log.name]);
    // An existing database with another name is not renamed.
    expect(server.options.ignoreChanges).toEqual([key]);
    if (!proxy) return;

    const front = found("aws:rds/proxy:Proxy");
    const frontLog = all.find(({ name }) => name === "database-proxy-log")!;
    expect(front.inputs.name).toBe("ecommerce-database-proxy-staging");
    expect(frontLog.inputs.name).toBe("/aws/rds/proxy/ecommerce-database-proxy-staging");
    expect(frontLog.inputs.retentionInDays).toBe(14);
    expect([front.options.dependsOn].flat().map((one) => (one as any).__name)).toContain(frontLog.name);
    expect(front.options.ignoreChanges).toEqual(["name"]);
  });

  it("has a proxy in private subnets, for TLS only and one user; or no resource of a proxy", () => {
    if (!proxy) {
      expect(program.resources.filter(({ type, name }) => /rds\/proxy/i.test(type) || /proxy/.test(name))).toEqual([]);
      return;
    }
    const secretArn = arnOf({ name: "secret" });
    expect(program.one("aws:rds/proxy:Proxy").inputs).toMatchObject({
      engineFamily: "MYSQL",
      requireTls: true,
      roleArn: arnOf({ name: "database-proxy-role" }),
      vpcSubnetIds: ["network-private-1-id", "network-private-2-id"],
      vpcSecurityGroupIds: [idOf({ name: "network-proxy" })],
      auths: [
        {
          authScheme: "SECRETS",
          secretArn,
          iamAuth: "DISABLED",
          clientPasswordAuthType: "MYSQL_CACHING_SHA2_PASSWORD",
        },
      ],
    });
    const target = program.one("aws:rds/proxyTarget:ProxyTarget").inputs;
    const { dbInstanceIdentifier, dbClusterIdentifier } = target;
    expect([dbInstanceIdentifier, dbClusterIdentifier]).toEqual(
      kind === "aurora" ? [undefined, identifier] : [identifier, undefined],
    );
    const { policy } = program.one("aws:iam/rolePolicy:RolePolicy", "database-proxy-policy").inputs as any;
    const { Statement } = typeof policy === "string" ? JSON.parse(policy) : policy;
    expect(Statement).toEqual([
      { Sid: "ReadSecret", Effect: "Allow", Action: "secretsmanager:GetSecretValue", Resource: secretArn },
    ]);
  });
});

it("keeps the proxy private if the database is public, and opens only the database to `pulumi up`", async () => {
  const program = await recordProgram({ "ecommerce:database.proxy": "true" });
  expect(program.one("aws:rds/instance:Instance").inputs.publiclyAccessible).toBe(true);
  expect(program.one("aws:rds/proxy:Proxy").inputs.vpcSubnetIds).toEqual([
    "network-private-1-id",
    "network-private-2-id",
  ]);
  const open = program
    .all("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    .filter(({ inputs }) => inputs.cidrIpv4 !== undefined);
  expect(open.map(({ inputs }) => inputs.securityGroupId)).toEqual([idOf({ name: "network-database" })]);
});

it.each([
  [399, {}],
  [400, { iops: 12_000, storageThroughput: 500 }],
])(
  "an instance of %i GiB has the IOPS and throughput that RDS requires at that size",
  async (storageGiB, performance) => {
    const program = await recordProgram({ "ecommerce:database": JSON.stringify({ storageGiB }) });
    const { iops, storageThroughput, ...inputs } = program.one("aws:rds/instance:Instance").inputs;
    expect(inputs.allocatedStorage).toBe(storageGiB);
    expect({ iops, storageThroughput }).toEqual(performance);
  },
);
