import { type Inputs, Network, type Place, type RegisteredResource, texts } from "./network";

export type { RegisteredResource } from "./network";

/** The addresses of a MySQL server, or of a proxy in front of it. */
interface Server {
  readonly place: Place;
  /** `address` and `port` are the program's outputs; a proxy has the port of its target. */
  readonly address: unknown;
  readonly port: unknown;
  /** The port that the rules of security groups must allow; on this machine servers listen on other ports. */
  readonly networkPort: number;
}

const mysqlPort = 3306;
const dynamicType = "pulumi-nodejs:dynamic:Resource";

/**
 * Checks the registered network for connections that would fail on AWS; this machine has no such network. Each function
 * must reach the database, or the proxy that its secret names, and the endpoint of Secrets Manager. A proxy must reach
 * the database. If `pulumi up` fills the database, the machine that runs it must reach the database too. A database
 * without ingress from outside is reachable only from inside the VPC: then a function must fill it. (The person at this
 * machine has a separate database account, for which nothing is checked.)
 *
 * @param resources everything that the program registered
 * @returns one sentence for each problem; empty if everything is reachable
 */
export function reachabilityProblems(resources: readonly RegisteredResource[]): string[] {
  const network = new Network(resources);
  const [resource] = [...network.all("aws:rds/instance:Instance"), ...network.all("aws:rds/cluster:Cluster")];
  const database = resource && databaseServer(network, resource);
  const proxies = network.all("aws:rds/proxy:Proxy").map((proxy) => proxyServer(network, proxy));
  const servers = database ? [database, ...proxies] : [];

  const problems = network
    .all("aws:lambda/function:Function")
    .flatMap((one) => functionProblems(network, one, servers));
  for (const { place } of servers) problems.push(...network.zoneProblems(place));
  if (!resource || !database) return problems;
  for (const { place } of proxies) problems.push(...network.flow(place, database.place, database.networkPort));
  const members = membersOf(network, resource);
  if (members.length === 0)
    problems.push(`${database.place.title} has no instance (ClusterInstance), so it accepts no connection`);
  // The mysql provider and dynamic resources run on the machine that runs `pulumi up`.
  const filledFromOutside = resources.some(
    ({ type, inputs }) => type.startsWith("mysql:") || (type === dynamicType && inputs.host === database.address),
  );
  return filledFromOutside ? [...problems, ...outsideProblems(network, members, database)] : problems;
}

function databaseServer(network: Network, { name, inputs, outputs }: RegisteredResource): Server {
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
function proxyServer(network: Network, { name, id, inputs, outputs }: RegisteredResource): Server {
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

/** The resources with an address of their own: the instance itself, or the instances of a cluster. */
function membersOf(network: Network, database: RegisteredResource): RegisteredResource[] {
  if (database.type === "aws:rds/instance:Instance") return [database];
  const identifier = database.outputs.clusterIdentifier ?? database.id;
  return network
    .all("aws:rds/clusterInstance:ClusterInstance")
    .filter(({ inputs }) => inputs.clusterIdentifier === identifier || inputs.clusterIdentifier === database.id);
}

/** What prevents a function's connections; empty for a function that uses neither a secret nor a database. */
function functionProblems(network: Network, resource: RegisteredResource, servers: readonly Server[]): string[] {
  const secret = secretOf(network, resource);
  const rotated = network
    .all("aws:secretsmanager/secretRotation:SecretRotation")
    .some(({ inputs }) => inputs.rotationLambdaArn === resource.outputs.arn);
  const passed = servers.filter(({ address }) => isPassed(network, resource, address));
  if (secret === undefined && !rotated && passed.length === 0) return [];

  const title = `the function "${resource.name}"`;
  const { subnetIds, securityGroupIds } = (resource.inputs.vpcConfig ?? {}) as Inputs;
  if (texts(subnetIds).length === 0) return [`${title} is in no VPC (vpcConfig is missing)`];
  const from = network.place(title, subnetIds, securityGroupIds);
  // Rotation connects to the database itself: a proxy has only one of the two passwords.
  const to = rotated || passed.length > 0 ? servers[0] : (namedBy(network, secret, servers) ?? servers[0]);
  return [
    ...(to ? network.flow(from, to.place, to.networkPort) : []),
    ...(secret !== undefined || rotated ? network.secretProblems(from) : []),
  ];
}

/** The secret that a function's environment names. */
function secretOf(network: Network, { inputs }: RegisteredResource): unknown {
  const { SecretName } = ((inputs.environment as Inputs | undefined)?.variables ?? {}) as Inputs;
  if (SecretName === undefined) return undefined;
  return (
    network.all("aws:secretsmanager/secret:Secret").find((one) => one.inputs.name === SecretName)?.id ?? SecretName
  );
}

/** Whether the program invokes the function with a server's address. */
function isPassed(network: Network, { id, outputs }: RegisteredResource, address: unknown): boolean {
  return network
    .all("aws:lambda/invocation:Invocation")
    .filter(({ inputs }) => [id, outputs.name, outputs.arn].includes(inputs.functionName))
    .some(({ inputs }) => address !== undefined && String(inputs.input).includes(JSON.stringify(address)));
}

/** The server that a secret names: by host, and also by port if two servers share a host, as on this machine. */
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

/** What prevents the mysql provider from filling the database from outside. */
function outsideProblems(
  network: Network,
  members: readonly RegisteredResource[],
  { place, networkPort }: Server,
): string[] {
  const problems: string[] = [];
  const reason = "which `pulumi up` fills from outside,";
  if (members.some(({ inputs }) => inputs.publiclyAccessible !== true)) {
    problems.push(`${place.title}, ${reason} has no public address (publiclyAccessible)`);
  }
  const closed = place.subnets.find((subnet) => !network.leadsToInternet(subnet));
  if (closed) problems.push(`${place.title}, ${reason} is in subnet "${closed.name}" without a route to the internet`);
  if (!network.isOpenToRanges(place, networkPort)) {
    problems.push(`${place.title}, ${reason} has no ingress rule for any address range at port ${networkPort}`);
  }
  return problems;
}
