/** Connections that would fail on AWS: the program's own network with one resource removed or changed. */
import { beforeAll, describe, expect, it } from "vitest";
import { type RegisteredResource, reachabilityProblems } from "../../../../local/services/network/reachability";
import { createResultOf, recordProgram } from "../../../support/program";

async function registeredProgram(values: Record<string, string> = {}): Promise<readonly RegisteredResource[]> {
  const { resources } = await recordProgram(values);
  return resources.map((resource) => ({ ...resource, ...createResultOf(resource) }));
}

let program: readonly RegisteredResource[];
beforeAll(async () => {
  program = await registeredProgram();
});

const ingress = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule";
const egress = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule";
/** The problems of the program without one resource. */
const without = (type: string, name: string, all = program) => {
  const left = all.filter((resource) => resource.type !== type || resource.name !== name);
  expect(left).toHaveLength(all.length - 1);
  return reachabilityProblems(left);
};
/** The problems of the program with other inputs of one resource; undefined removes an input. */
const having = (type: string, name: string, inputs: object, all = program) => {
  expect(all.some((resource) => resource.type === type && resource.name === name)).toBe(true);
  return reachabilityProblems(
    all.map((resource) =>
      resource.type === type && resource.name === name
        ? { ...resource, inputs: { ...resource.inputs, ...inputs } }
        : resource,
    ),
  );
};

it("finds no problem in the program as it is", () => {
  expect(reachabilityProblems(program)).toEqual([]);
});

describe("the function", () => {
  it("needs a rule out and a rule in for the database, and for the secret's endpoint", () => {
    expect(without(egress, "network-function-to-database")).toEqual([
      'no egress rule lets the function "register-user" out to port 3306 of the database "database"',
    ]);
    expect(without(ingress, "network-database-from-function")).toEqual([
      'no ingress rule lets the function "register-user" in at port 3306 of the database "database"',
    ]);
    expect(without(egress, "network-function-to-endpoint")).toEqual([
      expect.stringContaining('out to port 443 of the endpoint "network-secrets"'),
    ]);
    expect(without(ingress, "network-endpoint-from-function")).toEqual([
      expect.stringContaining('in at port 443 of the endpoint "network-secrets"'),
    ]);
  });
  it.each([
    ["another port", { fromPort: 3307, toPort: 3307 }, false],
    ["a range with the port", { fromPort: 3000, toPort: 4000 }, true],
    ["another protocol", { ipProtocol: "udp" }, false],
    ["every protocol", { ipProtocol: "-1", fromPort: undefined, toPort: undefined }, true],
    ["the subnets' range", { referencedSecurityGroupId: undefined, cidrIpv4: "10.20.0.0/16" }, true],
    ["a range beside them", { referencedSecurityGroupId: undefined, cidrIpv4: "10.21.0.0/16" }, false],
  ])("reaches the database only if a rule covers it: %s", (_, inputs, reached) => {
    const problems = having(ingress, "network-database-from-function", inputs);
    expect(problems).toHaveLength(reached ? 0 : 1);
  });
  it("must be in the database's VPC", () => {
    const vpcConfig = { subnetIds: [], securityGroupIds: [] };
    expect(having("aws:lambda/function:Function", "register-user", { vpcConfig })).toEqual([
      'the function "register-user" is in no VPC (vpcConfig is missing)',
    ]);
    expect(having("aws:ec2/subnet:Subnet", "network-private-2", { vpcId: "another" })).toContain(
      'the function "register-user" and the database "database" are not in subnets of one VPC',
    );
  });
  it("needs the endpoint of Secrets Manager in its VPC, under the public host name", () => {
    const endpoint = ["aws:ec2/vpcEndpoint:VpcEndpoint", "network-secrets"] as const;
    const none = ['the function "register-user" has no endpoint of Secrets Manager in its VPC'];
    expect(without(...endpoint)).toEqual(none);
    expect(having(...endpoint, { serviceName: "com.amazonaws.us-east-1.s3" })).toEqual(none);
    expect(having(...endpoint, { privateDnsEnabled: false })).toEqual([expect.stringContaining("private DNS")]);
    for (const setting of ["enableDnsHostnames", "enableDnsSupport"]) {
      expect(having("aws:ec2/vpc:Vpc", "network-vpc", { [setting]: false })).toEqual([
        expect.stringContaining("not found by name"),
      ]);
    }
  });
});

describe("the database", () => {
  it("has subnets in two zones", () => {
    expect(
      having("aws:rds/subnetGroup:SubnetGroup", "database-subnets", { subnetIds: ["network-public-1-id"] }),
    ).toEqual(['the database "database" has subnets in 1 availability zone(s); RDS needs at least two']);
  });
  it("is open to the machine that runs pulumi up, if the mysql provider fills it", () => {
    expect(having("aws:rds/instance:Instance", "database", { publiclyAccessible: false })).toEqual([
      expect.stringContaining("has no public address"),
    ]);
    expect(without("aws:ec2/route:Route", "network-internet")).toEqual([
      expect.stringContaining('is in subnet "network-public-1" without a route to the internet'),
    ]);
    expect(without("aws:ec2/routeTableAssociation:RouteTableAssociation", "network-public-2")).toEqual([
      expect.stringContaining('is in subnet "network-public-2" without a route to the internet'),
    ]);
    expect(without(ingress, "network-database-from-192.0.2.0/24")).toEqual([
      expect.stringContaining("no ingress rule for any address range at port 3306"),
    ]);
  });
});

describe("a private database", () => {
  let inside: readonly RegisteredResource[];
  beforeAll(async () => {
    inside = await registeredProgram({
      "ecommerce:database": '{"access":"private"}',
      "ecommerce:secret": '{"rotationDays":7}',
    });
  });

  it("is reached only by the functions inside the VPC", () => {
    expect(reachabilityProblems(inside)).toEqual([]);
    const functions = ["register-user", "rotate-secret", "schema-apply"];
    const cut = without(egress, "network-function-to-database", inside).sort();
    expect(cut).toEqual(
      functions.map((name) => `no egress rule lets the function "${name}" out to port 3306 of the database "database"`),
    );
    const noSecret = without("aws:ec2/vpcEndpoint:VpcEndpoint", "network-secrets", inside).sort();
    expect(noSecret, "schema-apply gets its credentials by invocation and reads no secret").toEqual([
      'the function "register-user" has no endpoint of Secrets Manager in its VPC',
      'the function "rotate-secret" has no endpoint of Secrets Manager in its VPC',
    ]);
  });
  it.each(["register-user", "rotate-secret", "schema-apply"])("is not reached by %s from outside", (name) => {
    expect(having("aws:lambda/function:Function", name, { vpcConfig: undefined }, inside)).toEqual([
      `the function "${name}" is in no VPC (vpcConfig is missing)`,
    ]);
  });
  it.each([
    ["the mysql provider", { type: "mysql:index/user:User", inputs: { user: "someone" } }],
    ["a dynamic resource", { type: "pulumi-nodejs:dynamic:Resource", inputs: { host: "database.example.com" } }],
  ])("is not filled by %s, which runs where pulumi up does", (_, resource) => {
    const problems = reachabilityProblems([...inside, { ...resource, name: "outsider", id: "outsider", outputs: {} }]);
    expect(problems).toEqual([
      expect.stringContaining("has no public address"),
      expect.stringContaining("without a route to the internet"),
      expect.stringContaining("has no ingress rule for any address range at port 3306"),
    ]);
  });
});

describe("Aurora behind a proxy", () => {
  let inside: readonly RegisteredResource[];
  beforeAll(async () => {
    inside = await registeredProgram({
      "ecommerce:database": '{"access":"private","kind":"aurora","proxy":true}',
      "ecommerce:secret": '{"rotationDays":7}',
    });
  });

  it("is reached by the registration through the proxy, and by rotation and schema without it", () => {
    expect(reachabilityProblems(inside)).toEqual([]);
    expect(without(egress, "network-function-to-proxy", inside)).toEqual([
      'no egress rule lets the function "register-user" out to port 3306 of the proxy "database-proxy"',
    ]);
    expect(without(ingress, "network-database-from-proxy", inside)).toEqual([
      'no ingress rule lets the proxy "database-proxy" in at port 3306 of the database "database"',
    ]);
    const direct = without(ingress, "network-database-from-function", inside).join();
    expect(direct).toContain('"rotate-secret"');
    expect(direct).toContain('"schema-apply"');
    expect(direct).not.toContain('"register-user"');
  });
  it("has an instance, and a proxy in two zones", () => {
    const bare = inside.filter(({ type }) => type !== "aws:rds/clusterInstance:ClusterInstance");
    expect(reachabilityProblems(bare)).toEqual([
      'the database "database" has no instance (ClusterInstance), so it accepts no connection',
    ]);
    const one = { vpcSubnetIds: ["network-private-1-id"] };
    expect(having("aws:rds/proxy:Proxy", "database-proxy", one, inside)).toEqual([
      'the proxy "database-proxy" has subnets in 1 availability zone(s); RDS needs at least two',
    ]);
  });
});
