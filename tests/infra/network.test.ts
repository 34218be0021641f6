/** All allowed connections, so that an additional rule fails as well as a missing one. */
import { beforeAll, expect, it } from "vitest";
import { idOf, type Recorded, recordProgram } from "../support/program";
import { registrations } from "../support/registrations";

let program: Recorded;
beforeAll(async () => {
  program = await recordProgram();
});

const rules = (direction: "Ingress" | "Egress", of = program) =>
  of.all(`aws:vpc/securityGroup${direction}Rule:SecurityGroup${direction}Rule`).map(({ inputs }) => {
    const { securityGroupId, referencedSecurityGroupId, cidrIpv4, fromPort, toPort, ipProtocol } = inputs;
    expect([fromPort, ipProtocol]).toEqual([toPort, "tcp"]);
    const group = String(securityGroupId).replace(/^network-(.*)-id$/, "$1");
    const peer = String(referencedSecurityGroupId ?? cidrIpv4).replace(/^network-(.*)-id$/, "$1");
    return direction === "Egress" ? `${group} → ${peer}:${fromPort}` : `${group}:${fromPort} ← ${peer}`;
  });

it("allows three flows and nothing else", () => {
  expect(rules("Egress").toSorted()).toEqual(["function → database:3306", "function → endpoint:443"]);
  expect(rules("Ingress").toSorted()).toEqual([
    "database:3306 ← 192.0.2.0/24",
    "database:3306 ← function",
    "endpoint:443 ← function",
  ]);
  for (const group of program.all("aws:ec2/securityGroup:SecurityGroup")) {
    // Inline rules of a group would conflict with the separate rules.
    expect(group.inputs.ingress ?? group.inputs.egress).toBeUndefined();
  }
});

it("opens the database to the configured ranges", async () => {
  const ranges = '["198.51.100.7/32","203.0.113.0/24"]';
  const other = await recordProgram({ "ecommerce:database.deployerCidrs": ranges });
  expect(rules("Ingress", other)).toEqual(
    expect.arrayContaining(["database:3306 ← 198.51.100.7/32", "database:3306 ← 203.0.113.0/24"]),
  );
});

it("does not move an existing subnet to another zone", async () => {
  const subnets = (await registrations("prod")).filter(({ type }) => type === "aws:ec2/subnet:Subnet");
  expect(subnets.map(({ options }) => options.ignoreChanges)).toEqual(Array(4).fill(["availabilityZone"]));
});

it("has subnets in two zones, with four different ranges", () => {
  const subnets = program.all("aws:ec2/subnet:Subnet").map(({ name, inputs }) => [name, inputs]) as [string, any][];
  expect(subnets.map(([name, { availabilityZone }]) => [name, availabilityZone])).toEqual([
    ["network-public-1", "us-east-1a"],
    ["network-public-2", "us-east-1b"],
    ["network-private-1", "us-east-1a"],
    ["network-private-2", "us-east-1b"],
  ]);
  expect(new Set(subnets.map(([, { cidrBlock }]) => cidrBlock)).size).toBe(4);
});

it("gives only the subnets of a public database a route to the internet", () => {
  const [route, ...others] = program.all("aws:ec2/route:Route");
  expect(others).toEqual([]);
  expect(route!.inputs).toMatchObject({ destinationCidrBlock: "0.0.0.0/0", gatewayId: "network-internet-id" });
  const tables = Object.fromEntries(
    program
      .all("aws:ec2/routeTableAssociation:RouteTableAssociation")
      .map(({ inputs }) => [inputs.subnetId, inputs.routeTableId]),
  );
  expect(tables["network-public-1-id"]).toBe(route!.inputs.routeTableId);
  expect(tables["network-public-2-id"]).toBe(route!.inputs.routeTableId);
  expect(tables["network-private-1-id"]).not.toBe(route!.inputs.routeTableId);
  expect(tables["network-private-2-id"]).not.toBe(route!.inputs.routeTableId);
  expect(program.one("aws:rds/subnetGroup:SubnetGroup").inputs.subnetIds).toEqual([
    "network-public-1-id",
    "network-public-2-id",
  ]);
});

it.each([
  ["instance", { database: [] }],
  ["aurora", { "database-writer": [], "database-reader": ["database-writer"] }],
] as const)("makes a public %s depend on the route to the internet and the deployer's rule", async (kind, members) => {
  const database = `{"access":"public","deployerCidrs":["192.0.2.0/24"],"kind":"${kind}"}`;
  const all = await registrations("dev", { "ecommerce:database": database });
  const ingress = ["internet", "internet", "public-1", "public-2", "database-from-192.0.2.0/24"];
  for (const [name, more] of Object.entries(members)) {
    const { options } = all.find((one) => one.name === name && one.inputs.publiclyAccessible === true)!;
    const dependencies = [options.dependsOn].flat() as unknown as { readonly __name: string }[];
    expect(dependencies.map(({ __name }) => __name)).toEqual([
      "database-error-log",
      ...ingress.map((part) => `network-${part}`),
      ...more,
    ]);
  }
});

it("has an endpoint of Secrets Manager with its public DNS name", () => {
  expect(program.one("aws:ec2/vpcEndpoint:VpcEndpoint").inputs).toMatchObject({
    serviceName: "com.amazonaws.us-east-1.secretsmanager",
    vpcEndpointType: "Interface",
    privateDnsEnabled: true,
    subnetIds: ["network-private-1-id", "network-private-2-id"],
    securityGroupIds: [idOf({ name: "network-endpoint" })],
  });
});

it("allows only this account's credentials and this account's secrets at the endpoint", () => {
  const { policy } = program.one("aws:ec2/vpcEndpoint:VpcEndpoint").inputs;
  const account = "000000000000";
  expect(JSON.parse(String(policy)).Statement).toEqual([
    {
      Sid: "OnlyThisAccount",
      Effect: "Allow",
      Principal: "*",
      Action: "secretsmanager:*",
      Resource: "*",
      Condition: { StringEquals: { "aws:PrincipalAccount": account, "aws:ResourceAccount": account } },
    },
  ]);
});
