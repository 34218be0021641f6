import { BlockList, isIPv6 } from "node:net";
import type { Made, Registered } from "../host/part";

/** A resource as it was registered and answered. */
export type Placed = Registered & Made;

type Inputs = Readonly<Record<string, unknown>>;

/** Something with network interfaces: in these subnets, behind these security groups. */
interface Place {
  /** For sentences: `the function "register-user"`. */
  readonly title: string;
  readonly subnets: readonly Placed[];
  readonly groups: readonly string[];
}

const mysqlPort = 3306;
const httpsPort = 443;

/**
 * Why the registered network would keep the system from working on AWS, where this machine has none: whether the
 * functions reach the database and the endpoint of Secrets Manager, and whoever runs `pulumi up` the database that it
 * fills. Follows VPCs, subnets, routes and the separate rules of security groups; a way by anything else (NAT, peering,
 * prefix lists, rules inside a group) is none.
 *
 * @param resources everything that the program registered
 * @returns sentences; none where all is reached
 * @see https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html
 */
export function unreachable(resources: readonly Placed[]): string[] {
  const network = new Network(resources);
  const [instance] = network.all("aws:rds/instance:Instance");
  const database = instance && network.database(instance);
  const faults = network
    .all("aws:lambda/function:Function")
    .filter(({ inputs }) => isInVpc(inputs) || readsSecret(inputs))
    .flatMap((resource) => {
      if (!isInVpc(resource.inputs)) return [`the function "${resource.name}" is in no VPC (vpcConfig is missing)`];
      const place = network.functionPlace(resource);
      const port = Number(instance?.inputs.port ?? mysqlPort);
      return [...(database ? network.flow(place, database, port) : []), ...network.secretFaults(place)];
    });
  if (!instance || !database) return faults;
  const zones = new Set(database.subnets.map(({ inputs }) => inputs.availabilityZone));
  if (zones.size < 2) faults.push(`${database.title} has subnets in ${zones.size} zone, and RDS wants two at least`);
  // The mysql provider runs where `pulumi up` does.
  const filledFromOutside = resources.some(({ type }) => type.startsWith("mysql:"));
  return filledFromOutside ? [...faults, ...network.outsideFaults(instance, database)] : faults;
}

const isInVpc = ({ vpcConfig }: Inputs) => texts((vpcConfig as Inputs | undefined)?.subnetIds).length > 0;
const readsSecret = ({ environment }: Inputs) =>
  ((environment as Inputs | undefined)?.variables as Inputs | undefined)?.SecretName !== undefined;

class Network {
  constructor(private readonly resources: readonly Placed[]) {}

  all(type: string): Placed[] {
    return this.resources.filter((resource) => resource.type === type);
  }

  functionPlace({ name, inputs }: Placed): Place {
    const { subnetIds, securityGroupIds } = inputs.vpcConfig as Inputs;
    return { title: `the function "${name}"`, subnets: this.#subnets(subnetIds), groups: texts(securityGroupIds) };
  }

  database({ name, inputs }: Placed): Place {
    const group = this.all("aws:rds/subnetGroup:SubnetGroup").find(
      (one) => (one.outputs.name ?? one.id) === inputs.dbSubnetGroupName,
    );
    const groups = texts(inputs.vpcSecurityGroupIds);
    return { title: `the database "${name}"`, subnets: this.#subnets(group?.inputs.subnetIds), groups };
  }

  /** What is missing for one place to open a connection to another; within a VPC only the groups' rules decide. */
  flow(from: Place, to: Place, port: number): string[] {
    const vpcs = new Set([...from.subnets, ...to.subnets].map(({ inputs }) => inputs.vpcId));
    if (from.subnets.length === 0 || to.subnets.length === 0 || vpcs.size !== 1) {
      return [`${from.title} and ${to.title} are not in subnets of one VPC`];
    }
    const faults: string[] = [];
    if (!this.#allows("Egress", from, to, port)) {
      faults.push(`no egress rule lets ${from.title} out to port ${port} of ${to.title}`);
    }
    if (!this.#allows("Ingress", to, from, port)) {
      faults.push(`no ingress rule lets ${from.title} in at port ${port} of ${to.title}`);
    }
    return faults;
  }

  /** A function in a VPC has no way to Secrets Manager but an interface endpoint inside, under the public name. */
  secretFaults(from: Place): string[] {
    const vpcId = from.subnets[0]?.inputs.vpcId;
    const endpoint = this.all("aws:ec2/vpcEndpoint:VpcEndpoint").find(
      ({ inputs }) => inputs.vpcId === vpcId && String(inputs.serviceName).endsWith(".secretsmanager"),
    );
    if (!endpoint) return [`${from.title} has no endpoint of Secrets Manager in its VPC`];
    const title = `the endpoint "${endpoint.name}" of Secrets Manager`;
    const { subnetIds, securityGroupIds, privateDnsEnabled } = endpoint.inputs;
    const faults = this.flow(
      from,
      { title, subnets: this.#subnets(subnetIds), groups: texts(securityGroupIds) },
      httpsPort,
    );
    // Both are what private DNS takes; without it the SDK's host name leads out of the VPC.
    const vpc = this.#byId("aws:ec2/vpc:Vpc", vpcId)?.inputs;
    if (privateDnsEnabled !== true) faults.push(`${title} has no private DNS (privateDnsEnabled)`);
    if (vpc?.enableDnsHostnames !== true || vpc.enableDnsSupport === false) {
      faults.push(`${title} is not found by name: its VPC lacks enableDnsHostnames or enableDnsSupport`);
    }
    return faults;
  }

  /** What is missing for the database to be filled by the mysql provider, from outside. */
  outsideFaults({ inputs }: Placed, database: Place): string[] {
    const faults: string[] = [];
    const reason = "which `pulumi up` fills from outside,";
    if (inputs.publiclyAccessible !== true) {
      faults.push(`${database.title}, ${reason} has no public address (publiclyAccessible)`);
    }
    const closed = database.subnets.find((subnet) => !this.#leadsToInternet(subnet));
    if (closed)
      faults.push(`${database.title}, ${reason} is in subnet "${closed.name}" without a route to the internet`);
    const port = Number(inputs.port ?? mysqlPort);
    const open = this.#rules("Ingress", database, port).some(
      (rule) => rule.cidrIpv4 !== undefined || rule.cidrIpv6 !== undefined,
    );
    if (!open) faults.push(`${database.title}, ${reason} has no ingress rule for any address range at port ${port}`);
    return faults;
  }

  #leadsToInternet(subnet: Placed): boolean {
    const tables = this.all("aws:ec2/routeTableAssociation:RouteTableAssociation")
      .filter(({ inputs }) => inputs.subnetId === subnet.id)
      .map(({ inputs }) => inputs.routeTableId);
    return this.all("aws:ec2/route:Route").some(
      ({ inputs }) =>
        tables.includes(inputs.routeTableId) &&
        (inputs.destinationCidrBlock === "0.0.0.0/0" || inputs.destinationIpv6CidrBlock === "::/0") &&
        this.#byId("aws:ec2/internetGateway:InternetGateway", inputs.gatewayId)?.inputs.vpcId === subnet.inputs.vpcId,
    );
  }

  #allows(direction: "Ingress" | "Egress", place: Place, peer: Place, port: number): boolean {
    return this.#rules(direction, place, port).some(
      ({ referencedSecurityGroupId: group, cidrIpv4 }) =>
        peer.groups.includes(String(group)) ||
        (cidrIpv4 !== undefined && peer.subnets.every((one) => within(String(cidrIpv4), String(one.inputs.cidrBlock)))),
    );
  }

  #rules(direction: "Ingress" | "Egress", { groups }: Place, port: number): Inputs[] {
    return this.all(`aws:vpc/securityGroup${direction}Rule:SecurityGroup${direction}Rule`)
      .map(({ inputs }) => inputs as Inputs)
      .filter(({ securityGroupId, ipProtocol, fromPort, toPort }) => {
        const all = String(ipProtocol) === "-1";
        const tcp = ipProtocol === "tcp" && Number(fromPort) <= port && port <= Number(toPort);
        return groups.includes(String(securityGroupId)) && (all || tcp);
      });
  }

  #subnets(ids: unknown): Placed[] {
    return texts(ids).flatMap((id) => this.#byId("aws:ec2/subnet:Subnet", id) ?? []);
  }

  #byId(type: string, id: unknown): Placed | undefined {
    return this.all(type).find((resource) => resource.id === id);
  }
}

/** Whether an IPv4 range begins within another. */
function within(outer: string, inner: string): boolean {
  const [network = "", prefix] = outer.split("/");
  const [address = ""] = inner.split("/");
  if (isIPv6(network) || isIPv6(address)) return false;
  const list = new BlockList();
  list.addSubnet(network, Number(prefix));
  return list.check(address);
}

const texts = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
