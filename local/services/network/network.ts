/** The registered network: network interfaces, and the connections between them that the registered rules allow. */
import { BlockList, isIPv6 } from "node:net";
import type { CreateResult, ResourceRegistration } from "../../../host/resources";

/** A registered resource with its identifier and outputs. */
export type RegisteredResource = ResourceRegistration & CreateResult;

export type Inputs = Readonly<Record<string, unknown>>;

/** A resource with network interfaces: its subnets and its security groups. */
export interface Place {
  /** Used in messages: `the function "register-user"`. */
  readonly title: string;
  readonly subnets: readonly RegisteredResource[];
  readonly groups: readonly string[];
}

const httpsPort = 443;

/**
 * Evaluates VPCs, subnets, routes and the separate rules of security groups. Connections by other means (NAT, peering,
 * prefix lists, rules inside a group) are not evaluated, and count as missing.
 * @see https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html
 */
export class Network {
  constructor(private readonly resources: readonly RegisteredResource[]) {}

  all(type: string): RegisteredResource[] {
    return this.resources.filter((resource) => resource.type === type);
  }

  place(title: string, subnetIds: unknown, groupIds: unknown): Place {
    const subnets = texts(subnetIds).flatMap((id) => this.#byId("aws:ec2/subnet:Subnet", id) ?? []);
    return { title, subnets, groups: texts(groupIds) };
  }

  /** What prevents a connection from one place to another; within a VPC only the security groups' rules decide. */
  flow(from: Place, to: Place, port: number): string[] {
    const vpcs = new Set([...from.subnets, ...to.subnets].map(({ inputs }) => inputs.vpcId));
    if (from.subnets.length === 0 || to.subnets.length === 0 || vpcs.size !== 1) {
      return [`${from.title} and ${to.title} are not in subnets of one VPC`];
    }
    const problems: string[] = [];
    if (!this.#allows("Egress", from, to, port)) {
      problems.push(`no egress rule lets ${from.title} out to port ${port} of ${to.title}`);
    }
    if (!this.#allows("Ingress", to, from, port)) {
      problems.push(`no ingress rule lets ${from.title} in at port ${port} of ${to.title}`);
    }
    return problems;
  }

  /**
   * What prevents a connection to Secrets Manager. A function in a VPC reaches it only through an interface endpoint in
   * that VPC, under the public host name.
   */
  secretProblems(from: Place): string[] {
    const vpcId = from.subnets[0]?.inputs.vpcId;
    const endpoint = this.all("aws:ec2/vpcEndpoint:VpcEndpoint").find(
      ({ inputs }) => inputs.vpcId === vpcId && String(inputs.serviceName).endsWith(".secretsmanager"),
    );
    if (!endpoint) return [`${from.title} has no endpoint of Secrets Manager in its VPC`];
    const title = `the endpoint "${endpoint.name}" of Secrets Manager`;
    const { subnetIds, securityGroupIds, privateDnsEnabled } = endpoint.inputs;
    const problems = this.flow(from, this.place(title, subnetIds, securityGroupIds), httpsPort);
    // Private DNS needs both settings of the VPC; without it the SDK's host name leads to an address outside the VPC.
    const vpc = this.#byId("aws:ec2/vpc:Vpc", vpcId)?.inputs;
    if (privateDnsEnabled !== true) problems.push(`${title} has no private DNS (privateDnsEnabled)`);
    if (vpc?.enableDnsHostnames !== true || vpc.enableDnsSupport === false) {
      problems.push(`${title} is not found by name: its VPC lacks enableDnsHostnames or enableDnsSupport`);
    }
    return problems;
  }

  zoneProblems({ title, subnets }: Place): string[] {
    const zones = new Set(subnets.map(({ inputs }) => inputs.availabilityZone));
    return zones.size < 2 ? [`${title} has subnets in ${zones.size} availability zone(s); RDS needs at least two`] : [];
  }

  /** Whether a rule allows ingress from any address range, inside or outside the VPC. */
  isOpenToRanges(place: Place, port: number): boolean {
    return this.#rules("Ingress", place, port).some(
      ({ cidrIpv4, cidrIpv6 }) => cidrIpv4 !== undefined || cidrIpv6 !== undefined,
    );
  }

  leadsToInternet(subnet: RegisteredResource): boolean {
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

  #byId(type: string, id: unknown): RegisteredResource | undefined {
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

export const texts = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
