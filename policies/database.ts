import { isInternal, type Opening, openings } from "./ingressRanges";
import { differs, type Finding, isRecord, type Resource, type Rule, shown, unknown } from "./rule";

/**
 * The database is reached from inside the VPC only. In a trial it may be public: the deployer's machine makes the
 * tables.
 */
export const privateDatabase: Rule = {
  name: "private-database",
  description: "The database has no public address and accepts no connections from outside the VPC.",
  level: (stage) => (stage === "trial" ? "advisory" : "mandatory"),
  check: (resource) => [...publicAddress(resource), ...outsideRanges(resource)],
};

function publicAddress({ type, props }: Resource): Finding[] {
  const types = ["aws:rds/instance:Instance", "aws:rds/clusterInstance:ClusterInstance"];
  // If it is absent, RDS decides by the subnets.
  if (!types.includes(type) || !differs(props.publiclyAccessible, false)) return [];
  return [
    {
      got: `publiclyAccessible: ${shown(props.publiclyAccessible)}`,
      allowed: "false",
      todo: "Set database.access to private: a function inside the VPC then makes the tables.",
    },
  ];
}

const outsideRanges = (resource: Resource): Finding[] =>
  databaseOpenings(resource)
    .filter(({ range }) => !isInternal(range))
    .map(({ range }) => ({
      got: `port ${databasePort} open for ${range}`,
      allowed: "security groups, and ranges of private networks",
      todo: "Set database.access to private, which needs no database.deployerCidrs.",
    }));

/** In no stage at all: neither the whole internet, nor the halves and quarters that together are the same. */
export const databaseNotOpenToAll: Rule = {
  name: "database-not-open-to-all",
  description: "No security group opens the database's port for the whole internet.",
  check: (resource) =>
    databaseOpenings(resource)
      .filter(({ range }) => /\/[0-7]$/.test(range) && !isInternal(range))
      .map(({ range }) => ({
        got: `port ${databasePort} open for ${range}`,
        allowed: "security groups, or the few addresses from which `pulumi up` runs",
        todo: "List these addresses in database.deployerCidrs, or set database.access to private.",
      })),
};

const databasePort = 3306;
const databaseOpenings = (resource: Resource): Opening[] =>
  openings(resource).filter(({ from, to }) => from <= databasePort && databasePort <= to);

/** The server refuses connections without TLS. */
export const databaseTls: Rule = {
  name: "database-tls",
  description: "The database accepts connections over TLS only.",
  check: (resource) => tlsChecks[resource.type]?.(resource) ?? [],
};

const ownGroup =
  (property: string) =>
  ({ props }: Resource): Finding[] =>
    props[property] === undefined
      ? [
          {
            got: `no ${property}: AWS's default parameters, which do not require TLS`,
            allowed: "a parameter group with require_secure_transport",
            todo: `Set ${property} to such a group.`,
          },
        ]
      : [];

function requiringParameters({ props }: Resource): Finding[] {
  const { family, parameters } = props;
  if (!/mysql/.test(String(family)) || parameters === unknown) return [];
  const found = (Array.isArray(parameters) ? parameters : []).find(
    (parameter) => isRecord(parameter) && parameter.name === "require_secure_transport",
  );
  if (found?.value === unknown || /^(1|ON)$/i.test(String(found?.value))) return [];
  return [
    {
      got: `require_secure_transport: ${shown(found?.value)}`,
      allowed: '"1" or "ON"',
      todo: "Add this parameter to the group.",
    },
  ];
}

const must =
  (property: string, allowed: readonly unknown[]) =>
  ({ props }: Resource): Finding[] =>
    props[property] === unknown || allowed.includes(props[property])
      ? []
      : [
          {
            got: `${property}: ${shown(props[property])}`,
            allowed: allowed.map(shown).join(" or "),
            todo: `Set ${property}.`,
          },
        ];

const tlsChecks: Record<string, (resource: Resource) => Finding[]> = {
  "aws:rds/instance:Instance": ownGroup("parameterGroupName"),
  "aws:rds/cluster:Cluster": ownGroup("dbClusterParameterGroupName"),
  "aws:rds/clusterParameterGroup:ClusterParameterGroup": requiringParameters,
  // A parameter group for a cluster's instances does not have this parameter: the cluster's group sets it.
  "aws:rds/parameterGroup:ParameterGroup": (resource) =>
    /^aurora/.test(String(resource.props.family)) ? [] : requiringParameters(resource),
  "aws:rds/proxy:Proxy": must("requireTls", [true]),
  "mysql:index/user:User": must("tlsOption", ["SSL", "X509"]),
};
