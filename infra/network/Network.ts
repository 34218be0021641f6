import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { splitRange } from "../config/validators";
import { accountOf } from "../names";
import { chooseZones } from "./availabilityZones";

export interface NetworkArgs {
  /** Region of the secret endpoint. Replaces the endpoint. */
  region: string;
  /**
   * IPv4 range of the VPC, from /16 to /24. Fixed at the first deployment: a change makes another VPC, and RDS does not
   * accept the subnets of another VPC in the database's subnet group. @default 10.20.0.0/16
   */
  cidr?: string;
  /**
   * IPv4 ranges from which `pulumi up` reaches the database's port. Each adds a rule; without any, nothing in
   * the VPC has a route to the internet. The subnets are the same in both cases. @default []
   */
  deployerCidrs?: readonly string[];
  /** Whether a {@link DatabaseProxy} is between function and database. @default false */
  proxy?: boolean;
  /** Pulumi's `protect` of the VPC, so that a preview refuses another range. @default true */
  protect?: boolean;
}

const mysqlPort = 3306;
const zoneCount = 2;

/**
 * The network that the documents presuppose when they say that the function can reach the database (S2): a VPC in two
 * zones, subnets for the database, others for the functions, and an endpoint of Secrets Manager, since a function in a
 * VPC has no route to the internet. Security groups name each other and allow these flows only: function → database
 * (3306), function → secret endpoint (443), and, if configured, deployer ranges → database, function → proxy and proxy
 * → database (all 3306). Also with a proxy, the functions that maintain the database connect to it directly.
 */
export class Network extends pulumi.ComponentResource {
  readonly vpcId: pulumi.Output<string>;
  /** Subnets of the database, with a route to the internet if there are deployer ranges. */
  readonly databaseSubnetIds: pulumi.Output<string[]>;
  /** Subnets of the functions and the proxy, without a route to the internet. */
  readonly privateSubnetIds: pulumi.Output<string[]>;
  readonly functionSecurityGroupId: pulumi.Output<string>;
  readonly databaseSecurityGroupId: pulumi.Output<string>;
  /** Undefined without a proxy. */
  readonly proxySecurityGroupId: pulumi.Output<string> | undefined;
  /**
   * What must exist before a database has a public address that the deployer can reach, and as long as it has one: RDS
   * refuses such an address without a gateway, and EC2 refuses to detach a gateway that is in use. Empty without
   * deployer ranges.
   */
  readonly ingressDependencies: pulumi.Resource[];
  /** What must exist before a function can reach the database. */
  readonly databasePathDependencies: pulumi.Resource[];
  /** What must exist before the function can read its secret. */
  readonly secretEndpoint: aws.ec2.VpcEndpoint;

  constructor(name: string, args: NetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ecommerce:network:Network", name, {}, opts);
    const parent = { parent: this };
    const range = args.cidr ?? "10.20.0.0/16";
    const deployers = args.deployerCidrs ?? [];

    const vpc = new aws.ec2.Vpc(
      `${name}-vpc`,
      { cidrBlock: range, enableDnsHostnames: true, enableDnsSupport: true, tags: { Name: name } },
      { ...parent, protect: args.protect ?? true },
    );
    const [databaseSubnets, privateSubnets] = subnets(name, vpc, range, parent);
    const internet = routes(name, vpc, { databaseSubnets, privateSubnets }, deployers.length > 0, parent);

    const groups = securityGroups(name, vpc, args.proxy ?? false, parent);
    this.databasePathDependencies = allowFlows(name, groups, parent);
    this.ingressDependencies = [...internet, ...allowDeployers(name, groups.database, deployers, parent)];
    this.secretEndpoint = new aws.ec2.VpcEndpoint(
      `${name}-secrets`,
      {
        vpcId: vpc.id,
        serviceName: `com.amazonaws.${args.region}.secretsmanager`,
        vpcEndpointType: "Interface",
        privateDnsEnabled: true,
        subnetIds: privateSubnets.map((subnet) => subnet.id),
        securityGroupIds: [groups.endpoint.id],
        policy: onlyThisAccount(vpc.arn.apply(accountOf)),
        tags: { Name: `${name}-secrets` },
      },
      parent,
    );

    this.vpcId = vpc.id;
    this.databaseSubnetIds = pulumi.all(databaseSubnets.map((subnet) => subnet.id));
    this.privateSubnetIds = pulumi.all(privateSubnets.map((subnet) => subnet.id));
    this.functionSecurityGroupId = groups.function.id;
    this.databaseSecurityGroupId = groups.database.id;
    this.proxySecurityGroupId = groups.proxy?.id;
    this.registerOutputs({
      vpcId: this.vpcId,
      databaseSubnetIds: this.databaseSubnetIds,
      privateSubnetIds: this.privateSubnetIds,
    });
  }
}

/**
 * Logical names must not change: in the state the database's subnets and their routes are called public, from the time
 * before private databases. The tag, which AWS shows, has the right word.
 */
const tiers = { public: "database", private: "private" } as const;
type Tier = keyof typeof tiers;

/**
 * Two subnets for the database and two for the functions, one of each in each zone, each a sixteenth of the range. They
 * stay in their zones whatever AWS lists later: another zone would replace a subnet and everything in it.
 */
function subnets(name: string, vpc: aws.ec2.Vpc, range: string, parent: pulumi.CustomResourceOptions) {
  const zones = aws
    .getAvailabilityZonesOutput(
      // Without the Local Zones that an account may have enabled: RDS and Lambda are not in all of them.
      { state: "available", filters: [{ name: "opt-in-status", values: ["opt-in-not-required"] }] },
      parent,
    )
    .apply((found) => chooseZones(found, zoneCount));
  const ranges = splitRange(range, 4, 2 * zoneCount);
  const tier = (kind: Tier, first: number) =>
    Array.from(
      { length: zoneCount },
      (_, index) =>
        new aws.ec2.Subnet(
          `${name}-${kind}-${index + 1}`,
          {
            vpcId: vpc.id,
            cidrBlock: ranges[first + index]!,
            availabilityZone: zones.apply((names) => names[index]!),
            mapPublicIpOnLaunch: false,
            tags: { Name: `${name}-${tiers[kind]}-${index + 1}` },
          },
          { ...parent, ignoreChanges: ["availabilityZone"] },
        ),
    );
  return [tier("public", 0), tier("private", zoneCount)] as const;
}

/**
 * Route tables of the subnets. If `internet` is true, the database's subnets get a route to the internet, and the
 * result contains what it consists of; otherwise the result is empty. The functions' subnets never get one.
 */
function routes(
  name: string,
  vpc: aws.ec2.Vpc,
  subnetsOf: { databaseSubnets: aws.ec2.Subnet[]; privateSubnets: aws.ec2.Subnet[] },
  internet: boolean,
  parent: pulumi.CustomResourceOptions,
): pulumi.Resource[] {
  const table = (kind: Tier, members: aws.ec2.Subnet[]) => {
    const routeTable = new aws.ec2.RouteTable(
      `${name}-${kind}`,
      { vpcId: vpc.id, tags: { Name: `${name}-${tiers[kind]}` } },
      parent,
    );
    const associations = members.map((subnet, index) => {
      const args = { routeTableId: routeTable.id, subnetId: subnet.id };
      return new aws.ec2.RouteTableAssociation(`${name}-${kind}-${index + 1}`, args, parent);
    });
    return { routeTable, associations };
  };
  table("private", subnetsOf.privateSubnets);
  const database = table("public", subnetsOf.databaseSubnets);
  if (!internet) return [];
  const gateway = new aws.ec2.InternetGateway(`${name}-internet`, { vpcId: vpc.id, tags: { Name: name } }, parent);
  const args = { routeTableId: database.routeTable.id, destinationCidrBlock: "0.0.0.0/0", gatewayId: gateway.id };
  const route = new aws.ec2.Route(`${name}-internet`, args, parent);
  return [gateway, route, ...database.associations];
}

/**
 * Without a policy, an endpoint allows credentials of any account to reach secrets of any account from this network.
 * The functions' roles limit what they may do with the secret.
 *
 * @see https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
 */
function onlyThisAccount(account: pulumi.Output<string>): pulumi.Output<string> {
  return pulumi.jsonStringify({
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "OnlyThisAccount",
        Effect: "Allow",
        Principal: "*",
        Action: "secretsmanager:*",
        Resource: "*",
        Condition: { StringEquals: { "aws:PrincipalAccount": account, "aws:ResourceAccount": account } },
      },
    ],
  });
}

type Groups = Record<"function" | "database" | "endpoint", aws.ec2.SecurityGroup> & { proxy?: aws.ec2.SecurityGroup };

function securityGroups(name: string, vpc: aws.ec2.Vpc, proxy: boolean, parent: pulumi.CustomResourceOptions): Groups {
  const group = (kind: keyof Groups, description: string) =>
    new aws.ec2.SecurityGroup(
      `${name}-${kind}`,
      { vpcId: vpc.id, description, tags: { Name: `${name}-${kind}` } },
      parent,
    );
  return {
    function: group("function", "The functions of the back end"),
    database: group("database", "The MySQL database"),
    endpoint: group("endpoint", "The endpoint of Secrets Manager"),
    ...(proxy ? { proxy: group("proxy", "The proxy in front of the MySQL database") } : {}),
  };
}

function allowFlows(name: string, groups: Groups, parent: pulumi.CustomResourceOptions) {
  const flow = (from: keyof Groups, to: keyof Groups, port: number) => {
    const [source, target] = [groups[from], groups[to]];
    if (!source || !target) return [];
    const ports = { ipProtocol: "tcp", fromPort: port, toPort: port };
    const out = new aws.vpc.SecurityGroupEgressRule(
      `${name}-${from}-to-${to}`,
      { securityGroupId: source.id, referencedSecurityGroupId: target.id, ...ports },
      parent,
    );
    const into = new aws.vpc.SecurityGroupIngressRule(
      `${name}-${to}-from-${from}`,
      { securityGroupId: target.id, referencedSecurityGroupId: source.id, ...ports },
      parent,
    );
    return [out, into];
  };
  const databasePath = flow("function", "database", mysqlPort);
  flow("function", "endpoint", 443);
  // Without a proxy these two add nothing, since its group does not exist.
  flow("function", "proxy", mysqlPort);
  flow("proxy", "database", mysqlPort);
  return databasePath;
}

function allowDeployers(
  name: string,
  database: aws.ec2.SecurityGroup,
  ranges: readonly string[],
  parent: pulumi.CustomResourceOptions,
) {
  const ports = { ipProtocol: "tcp", fromPort: mysqlPort, toPort: mysqlPort };
  return ranges.map(
    (range) =>
      new aws.vpc.SecurityGroupIngressRule(
        `${name}-database-from-${range}`,
        { securityGroupId: database.id, cidrIpv4: range, ...ports, description: "pulumi up" },
        parent,
      ),
  );
}
