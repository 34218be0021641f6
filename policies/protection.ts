import { differs, type Finding, isBelow, type Resource, type Rule, shown } from "./rule";

/** What holds data is not deleted by a slip: not by Pulumi, not by AWS's console. */
export const protectedData: Rule = {
  name: "protected-data",
  description: "In production, what holds data cannot be deleted by mistake.",
  level: (stage) => (stage === "production" ? "mandatory" : "disabled"),
  check(resource) {
    const check = checks[resource.type];
    return check === undefined ? [] : [...unprotected(resource), ...check(resource)];
  },
};

const todo = "Set data.protect to true; docs/operations.md says how to take a stack down on purpose.";

const unprotected = ({ protect }: Resource): Finding[] =>
  protect ? [] : [{ got: "no `protect`", allowed: "Pulumi's `protect`", todo }];

const must = ({ props }: Resource, property: string, wanted: unknown): Finding[] =>
  differs(props[property], wanted)
    ? [{ got: `${property}: ${shown(props[property])}`, allowed: shown(wanted), todo }]
    : [];

const database = (resource: Resource): Finding[] => [
  ...must(resource, "deletionProtection", true),
  // Absent is false: RDS then asks for the snapshot's name.
  ...(resource.props.skipFinalSnapshot === undefined ? [] : must(resource, "skipFinalSnapshot", false)),
];

const checks: Record<string, (resource: Resource) => Finding[]> = {
  "aws:rds/instance:Instance": database,
  "aws:rds/cluster:Cluster": database,
  // AWS knows no protection of these two. A cluster without an instance answers nobody; a queue holds what waits in it.
  "aws:rds/clusterInstance:ClusterInstance": () => [],
  "aws:sqs/queue:Queue": () => [],
  "aws:cognito/userPool:UserPool": (resource) => must(resource, "deletionProtection", "ACTIVE"),
  "aws:s3/bucket:Bucket": (resource) =>
    resource.props.forceDestroy === undefined ? [] : must(resource, "forceDestroy", false),
  // Absent is 30 days.
  "aws:secretsmanager/secret:Secret": ({ props }) =>
    props.recoveryWindowInDays !== undefined && isBelow(props.recoveryWindowInDays, 7)
      ? [
          {
            got: `recoveryWindowInDays: ${shown(props.recoveryWindowInDays)}`,
            allowed: "7 to 30 days",
            todo: "Set secret.recoveryDays.",
          },
        ]
      : [],
};
