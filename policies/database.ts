import { isInternal, type Opening, openings } from "./openings";
import { differs, type Finding, isRecord, type Resource, type Rule, shown, unknown } from "./rule";

/** Nobody beyond the VPC reaches the database. A trial may: there the deployer's machine makes the tables. */
export const privateDatabase: Rule = {
  name: "private-database",
  description: "The database has no public address and lets in nobody from outside.",
  level: (stage) => (stage === "trial" ? "advisory" : "mandatory"),
  check: (resource) => [...publicAddress(resource), ...strangers(resource)],
};

function publicAddress({ type, props }: Resource): Finding[] {
  const types = ["aws:rds/instance:Instance", "aws:rds/clusterInstance:ClusterInstance"];
  // Where it is absent, RDS goes by the subnets.
  if (!types.includes(type) || !differs(props.publiclyAccessible, false)) return [];
  return [
    {
      got: `publiclyAccessible: ${shown(props.publiclyAccessible)}`,
      allowed: "false",
      todo: "Set database.access to private: a function inside the VPC then makes the tables.",
    },
  ];
}

const strangers = (resource: Resource): Finding[] =>
  databaseOpenings(resource)
    .filter(({ range }) => !isInternal(range))
    .map(({ range }) => ({
      got: `port ${databasePort} open for ${range}`,
      allowed: "security groups, and ranges of private networks",
      todo: "Set database.access to private, which needs no database.deployerCidrs.",
    }));

/** In no stage at all: neither everything nor the halves and quarters that it can be written in. */
export const databaseNotOpenToAll: Rule = {
  name: "database-not-open-to-all",
  description: "No security group opens the database's port for the internet at large.",
  check: (resource) =>
    databaseOpenings(resource)
      .filter(({ range }) => /\/[0-7]$/.test(range) && !isInternal(range))
      .map(({ range }) => ({
        got: `port ${databasePort} open for ${range}`,
        allowed: "security groups, or the few addresses from which `pulumi up` runs",
        todo: "Name these addresses in database.deployerCidrs, or set database.access to private.",
      })),
};

const databasePort = 3306;
const databaseOpenings = (resource: Resource): Opening[] =>
  openings(resource).filter(({ from, to }) => from <= databasePort && databasePort <= to);

/** The server refuses connections without TLS, whoever connects. */
export const databaseTls: Rule = {
  name: "database-tls",
  description: "The database takes connections over TLS only.",
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
            todo: `Name one as ${property}.`,
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
  (property: string, wanted: readonly unknown[]) =>
  ({ props }: Resource): Finding[] =>
    props[property] === unknown || wanted.includes(props[property])
      ? []
      : [
          {
            got: `${property}: ${shown(props[property])}`,
            allowed: wanted.map(shown).join(" or "),
            todo: `Set ${property}.`,
          },
        ];

const tlsChecks: Record<string, (resource: Resource) => Finding[]> = {
  "aws:rds/instance:Instance": ownGroup("parameterGroupName"),
  "aws:rds/cluster:Cluster": ownGroup("dbClusterParameterGroupName"),
  "aws:rds/clusterParameterGroup:ClusterParameterGroup": requiringParameters,
  // A group for the instances of a cluster holds no such parameter: there the cluster's group decides.
  "aws:rds/parameterGroup:ParameterGroup": (resource) =>
    /^aurora/.test(String(resource.props.family)) ? [] : requiringParameters(resource),
  "aws:rds/proxy:Proxy": must("requireTls", [true]),
  "mysql:index/user:User": must("tlsOption", ["SSL", "X509"]),
};
