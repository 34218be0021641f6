import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { cut } from "./configRules";

export interface NetworkArgs {
  /** Region of the secret endpoint. Replaces the endpoint. */
  region: string;
  /** IPv4 range of the VPC, from /16 to /24. Replaces everything. @default 10.20.0.0/16 */
  cidr?: string;
  /**
   * Ranges from which `pulumi up` reaches the database's port. Each adds a rule; with none of them the database's
   * subnets have no way to the internet. @default []
   */
  deployerCidrs?: readonly string[];
}

const mysqlPort = 3306;
const zoneCount = 2;

/**
 * The network that the documents presuppose where they say that the function can reach the database (S2): a VPC over
 * two zones, public subnets for the database, private ones for the function, and Secrets Manager's endpoint inside,
 * since a function in a VPC has no way out. Security groups name each other and allow three flows only:
 * function → database (3306), function → secret endpoint (443), deployer ranges → database (3306).
 */
export class Network extends pulumi.ComponentResource {
  readonly vpcId: pulumi.Output<string>;
  /** Subnets of the database, routed to the internet while deployer ranges are given. */
  readonly publicSubnetIds: pulumi.Output<string[]>;
  /** Subnets of the function; nothing leads out of them but the secret endpoint. */
  readonly privateSubnetIds: pulumi.Output<string[]>;
  readonly functionSecurityGroupId: pulumi.Output<string>;
  readonly databaseSecurityGroupId: pulumi.Output<string>;
  /** What must stand before the function can read its secret. */
  readonly secretEndpoint: aws.ec2.VpcEndpoint;

  constructor(name: string, args: NetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ecommerce:network:Network", name, {}, opts);
    const parent = { parent: this };
    const range = args.cidr ?? "10.20.0.0/16";
    const deployers = args.deployerCidrs ?? [];

    const vpc = new aws.ec2.Vpc(
      `${name}-vpc`,
      { cidrBlock: range, enableDnsHostnames: true, enableDnsSupport: true, tags: { Name: name } },
      parent,
    );
    const [publicSubnets, privateSubnets] = subnets(name, vpc, range, parent);
    routes(name, vpc, { publicSubnets, privateSubnets }, deployers.length > 0, parent);

    const groups = securityGroups(name, vpc, parent);
    allowFlows(name, groups, deployers, parent);
    this.secretEndpoint = new aws.ec2.VpcEndpoint(
      `${name}-secrets`,
      {
        vpcId: vpc.id,
        serviceName: `com.amazonaws.${args.region}.secretsmanager`,
        vpcEndpointType: "Interface",
        privateDnsEnabled: true,
        subnetIds: privateSubnets.map((subnet) => subnet.id),
        securityGroupIds: [groups.endpoint.id],
        tags: { Name: `${name}-secrets` },
      },
      parent,
    );

    this.vpcId = vpc.id;
    this.publicSubnetIds = pulumi.all(publicSubnets.map((subnet) => subnet.id));
    this.privateSubnetIds = pulumi.all(privateSubnets.map((subnet) => subnet.id));
    this.functionSecurityGroupId = groups.function.id;
    this.databaseSecurityGroupId = groups.database.id;
    this.registerOutputs({
      vpcId: this.vpcId,
      publicSubnetIds: this.publicSubnetIds,
      privateSubnetIds: this.privateSubnetIds,
    });
  }
}

/** Two public and two private subnets, one of each in each zone; each has a sixteenth of the VPC's range. */
function subnets(name: string, vpc: aws.ec2.Vpc, range: string, parent: pulumi.CustomResourceOptions) {
  const zones = aws.getAvailabilityZonesOutput({ state: "available" }, parent).names;
  const ranges = cut(range, 4, 2 * zoneCount);
  const tier = (kind: "public" | "private", first: number) =>
    Array.from(
      { length: zoneCount },
      (_, index) =>
        new aws.ec2.Subnet(
          `${name}-${kind}-${index + 1}`,
          {
            vpcId: vpc.id,
            cidrBlock: ranges[first + index]!,
            availabilityZone: zones.apply((names) => zoneAt(names, index)),
            mapPublicIpOnLaunch: false,
            tags: { Name: `${name}-${kind}-${index + 1}` },
          },
          parent,
        ),
    );
  return [tier("public", 0), tier("private", zoneCount)] as const;
}

function zoneAt(names: string[], index: number): string {
  const zone = names[index];
  if (zone === undefined) {
    throw new pulumi.RunError(
      `The region has ${names.length} available zones; the network needs ${zoneCount}. Choose another aws:region.`,
    );
  }
  return zone;
}

/** A way to the internet for the public subnets, if wanted; none for the private ones. */
function routes(
  name: string,
  vpc: aws.ec2.Vpc,
  tiers: { publicSubnets: aws.ec2.Subnet[]; privateSubnets: aws.ec2.Subnet[] },
  internet: boolean,
  parent: pulumi.CustomResourceOptions,
) {
  const table = (kind: "public" | "private", members: aws.ec2.Subnet[]) => {
    const made = new aws.ec2.RouteTable(
      `${name}-${kind}`,
      { vpcId: vpc.id, tags: { Name: `${name}-${kind}` } },
      parent,
    );
    members.forEach((subnet, index) => {
      const args = { routeTableId: made.id, subnetId: subnet.id };
      new aws.ec2.RouteTableAssociation(`${name}-${kind}-${index + 1}`, args, parent);
    });
    return made;
  };
  table("private", tiers.privateSubnets);
  const publicTable = table("public", tiers.publicSubnets);
  if (internet) {
    const gateway = new aws.ec2.InternetGateway(`${name}-internet`, { vpcId: vpc.id, tags: { Name: name } }, parent);
    const args = { routeTableId: publicTable.id, destinationCidrBlock: "0.0.0.0/0", gatewayId: gateway.id };
    new aws.ec2.Route(`${name}-internet`, args, parent);
  }
}

type Groups = Record<"function" | "database" | "endpoint", aws.ec2.SecurityGroup>;

function securityGroups(name: string, vpc: aws.ec2.Vpc, parent: pulumi.CustomResourceOptions): Groups {
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
  };
}

function allowFlows(name: string, groups: Groups, deployers: readonly string[], parent: pulumi.CustomResourceOptions) {
  const flow = (from: keyof Groups, to: keyof Groups, port: number) => {
    const ports = { ipProtocol: "tcp", fromPort: port, toPort: port };
    new aws.vpc.SecurityGroupEgressRule(
      `${name}-${from}-to-${to}`,
      { securityGroupId: groups[from].id, referencedSecurityGroupId: groups[to].id, ...ports },
      parent,
    );
    new aws.vpc.SecurityGroupIngressRule(
      `${name}-${to}-from-${from}`,
      { securityGroupId: groups[to].id, referencedSecurityGroupId: groups[from].id, ...ports },
      parent,
    );
  };
  flow("function", "database", mysqlPort);
  flow("function", "endpoint", 443);
  for (const range of deployers) {
    new aws.vpc.SecurityGroupIngressRule(
      `${name}-database-from-${range}`,
      {
        securityGroupId: groups.database.id,
        ...(range.includes(":") ? { cidrIpv6: range } : { cidrIpv4: range }),
        ipProtocol: "tcp",
        fromPort: mysqlPort,
        toPort: mysqlPort,
        description: "pulumi up",
      },
      parent,
    );
  }
}
