import { differs, type Finding, isBelow, type Resource, type Rule, shown } from "./rule";

/** Resources with data cannot be deleted by mistake, neither by Pulumi nor in AWS's console. */
export const protectedData: Rule = {
  name: "protected-data",
  description: "In production, resources with data cannot be deleted by mistake.",
  level: (stage) => (stage === "production" ? "mandatory" : "disabled"),
  check(resource) {
    const check = checks[resource.type];
    return check === undefined ? [] : [...unprotected(resource), ...check(resource)];
  },
};

const todo = "Set data.protect to true; docs/operations.md describes how to delete a stack.";

const unprotected = ({ protect }: Resource): Finding[] =>
  protect ? [] : [{ got: "no `protect`", allowed: "Pulumi's `protect`", todo }];

const must = ({ props }: Resource, property: string, required: unknown): Finding[] =>
  differs(props[property], required)
    ? [{ got: `${property}: ${shown(props[property])}`, allowed: shown(required), todo }]
    : [];

const database = (resource: Resource): Finding[] => [
  ...must(resource, "deletionProtection", true),
  // Absent means false: RDS then requires the snapshot's name.
  ...(resource.props.skipFinalSnapshot === undefined ? [] : must(resource, "skipFinalSnapshot", false)),
];

const checks: Record<string, (resource: Resource) => Finding[]> = {
  "aws:rds/instance:Instance": database,
  "aws:rds/cluster:Cluster": database,
  // AWS has no deletion protection for these two. A cluster without an instance accepts no connections; a queue
  // contains waiting messages.
  "aws:rds/clusterInstance:ClusterInstance": () => [],
  "aws:sqs/queue:Queue": () => [],
  "aws:cognito/userPool:UserPool": (resource) => must(resource, "deletionProtection", "ACTIVE"),
  "aws:s3/bucket:Bucket": (resource) =>
    resource.props.forceDestroy === undefined ? [] : must(resource, "forceDestroy", false),
  // Absent means 30 days.
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
