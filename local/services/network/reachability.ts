import { type Inputs, Network, type Place, type Placed, texts } from "./network";

export type { Placed } from "./network";

/** Where a MySQL server or a proxy before it is reached. */
interface Server {
  readonly place: Place;
  /** As the program was told; a proxy's port is that of its target. */
  readonly address: unknown;
  readonly port: unknown;
  /** The port in the network, which security groups go by; on this machine servers listen on others. */
  readonly networkPort: number;
}

const mysqlPort = 3306;
const dynamicType = "pulumi-nodejs:dynamic:Resource";

/**
 * Why the registered network would keep the system from working on AWS, where this machine has none: whether each
 * function reaches the database, or the proxy that its secret names, and the endpoint of Secrets Manager; the proxy the
 * database; and whoever runs `pulumi up` the database that it fills. What nobody lets in from outside is reached from
 * inside the VPC alone: then a function must fill it. (The person at this machine has an account of their own, for which
 * there is none of this.)
 *
 * @param resources everything that the program registered
 * @returns sentences; none where all is reached
 */
export function unreachable(resources: readonly Placed[]): string[] {
  const network = new Network(resources);
  const [resource] = [...network.all("aws:rds/instance:Instance"), ...network.all("aws:rds/cluster:Cluster")];
  const database = resource && databaseServer(network, resource);
  const proxies = network.all("aws:rds/proxy:Proxy").map((proxy) => proxyServer(network, proxy));
  const servers = database ? [database, ...proxies] : [];

  const faults = network.all("aws:lambda/function:Function").flatMap((one) => functionFaults(network, one, servers));
  for (const { place } of servers) faults.push(...network.zonesFault(place));
  if (!resource || !database) return faults;
  for (const { place } of proxies) faults.push(...network.flow(place, database.place, database.networkPort));
  const members = membersOf(network, resource);
  if (members.length === 0)
    faults.push(`${database.place.title} has no instance (ClusterInstance), so nothing answers`);
  // The mysql provider and dynamic resources run where `pulumi up` does.
  const filledFromOutside = resources.some(
    ({ type, inputs }) => type.startsWith("mysql:") || (type === dynamicType && inputs.host === database.address),
  );
  return filledFromOutside ? [...faults, ...outsideFaults(network, members, database)] : faults;
}

function databaseServer(network: Network, { name, inputs, outputs }: Placed): Server {
  const group = network
    .all("aws:rds/subnetGroup:SubnetGroup")
    .find((one) => (one.outputs.name ?? one.id) === inputs.dbSubnetGroupName);
  return {
    place: network.place(`the database "${name}"`, group?.inputs.subnetIds, inputs.vpcSecurityGroupIds),
    address: outputs.address ?? outputs.endpoint,
    port: outputs.port,
    networkPort: Number(inputs.port ?? mysqlPort),
  };
}

/** A proxy listens on MySQL's usual port, whatever the port of its database. */
function proxyServer(network: Network, { name, id, inputs, outputs }: Placed): Server {
  const target = network
    .all("aws:rds/proxyTarget:ProxyTarget")
    .find((one) => one.inputs.dbProxyName === (outputs.name ?? id));
  return {
    place: network.place(`the proxy "${name}"`, inputs.vpcSubnetIds, inputs.vpcSecurityGroupIds),
    address: outputs.endpoint,
    port: target?.outputs.port,
    networkPort: mysqlPort,
  };
}

/** What has an address of its own: the instance itself, or those of a cluster. */
function membersOf(network: Network, database: Placed): Placed[] {
  if (database.type === "aws:rds/instance:Instance") return [database];
  const identifier = database.outputs.clusterIdentifier ?? database.id;
  return network
    .all("aws:rds/clusterInstance:ClusterInstance")
    .filter(({ inputs }) => inputs.clusterIdentifier === identifier || inputs.clusterIdentifier === database.id);
}

/** What keeps a function from what it works with; nothing is asked of one that works with neither secret nor database. */
function functionFaults(network: Network, resource: Placed, servers: readonly Server[]): string[] {
  const secret = secretOf(network, resource);
  const rotated = network
    .all("aws:secretsmanager/secretRotation:SecretRotation")
    .some(({ inputs }) => inputs.rotationLambdaArn === resource.outputs.arn);
  const handed = servers.filter(({ address }) => isHanded(network, resource, address));
  if (secret === undefined && !rotated && handed.length === 0) return [];

  const title = `the function "${resource.name}"`;
  const { subnetIds, securityGroupIds } = (resource.inputs.vpcConfig ?? {}) as Inputs;
  if (texts(subnetIds).length === 0) return [`${title} is in no VPC (vpcConfig is missing)`];
  const from = network.place(title, subnetIds, securityGroupIds);
  // Rotation goes to the database itself; a proxy would know only one of the two passwords.
  const to = rotated || handed.length > 0 ? servers[0] : (namedBy(network, secret, servers) ?? servers[0]);
  return [
    ...(to ? network.flow(from, to.place, to.networkPort) : []),
    ...(secret !== undefined || rotated ? network.secretFaults(from) : []),
  ];
}

/** The secret that a function's environment names. */
function secretOf(network: Network, { inputs }: Placed): unknown {
  const { SecretName } = ((inputs.environment as Inputs | undefined)?.variables ?? {}) as Inputs;
  if (SecretName === undefined) return undefined;
  return (
    network.all("aws:secretsmanager/secret:Secret").find((one) => one.inputs.name === SecretName)?.id ?? SecretName
  );
}

/** Whether the program invokes the function with a server's address. */
function isHanded(network: Network, { id, outputs }: Placed, address: unknown): boolean {
  return network
    .all("aws:lambda/invocation:Invocation")
    .filter(({ inputs }) => [id, outputs.name, outputs.arn].includes(inputs.functionName))
    .some(({ inputs }) => address !== undefined && String(inputs.input).includes(JSON.stringify(address)));
}

/** The server that a secret tells: by host and, where two share one as on this machine, by port. */
function namedBy(network: Network, secretId: unknown, servers: readonly Server[]): Server | undefined {
  const version = network
    .all("aws:secretsmanager/secretVersion:SecretVersion")
    .find(({ inputs }) => inputs.secretId === secretId);
  const { host, port } = fields(version?.inputs.secretString);
  const sameHost = servers.filter(({ address }) => address === host);
  return sameHost.find((one) => one.port === port) ?? sameHost[0];
}

function fields(json: unknown): Inputs {
  try {
    return (JSON.parse(String(json)) ?? {}) as Inputs;
  } catch {
    return {};
  }
}

/** What is missing for the database to be filled by the mysql provider, from outside. */
function outsideFaults(network: Network, members: readonly Placed[], { place, networkPort }: Server): string[] {
  const faults: string[] = [];
  const reason = "which `pulumi up` fills from outside,";
  if (members.some(({ inputs }) => inputs.publiclyAccessible !== true)) {
    faults.push(`${place.title}, ${reason} has no public address (publiclyAccessible)`);
  }
  const closed = place.subnets.find((subnet) => !network.leadsToInternet(subnet));
  if (closed) faults.push(`${place.title}, ${reason} is in subnet "${closed.name}" without a route to the internet`);
  if (!network.isOpenToRanges(place, networkPort)) {
    faults.push(`${place.title}, ${reason} has no ingress rule for any address range at port ${networkPort}`);
  }
  return faults;
}
