import { callerOrTargetKeys, type Grant, grantsOf, identifiesCaller, isAnything } from "./policyDocuments";
import { type Finding, isRecord, type Resource, type Rule, shown, unknown } from "./rule";

/** What roles, users and groups may do. */
export const namedPermissions: Rule = {
  name: "named-permissions",
  description: "Permissions name their actions and resources.",
  check: (resource) =>
    identityPolicies(resource)
      .flatMap((policy) => grantsOf(policy))
      .flatMap(tooBroad),
};

function identityPolicies({ type, props }: Resource): unknown[] {
  switch (type) {
    case "aws:iam/rolePolicy:RolePolicy":
    case "aws:iam/policy:Policy":
    case "aws:iam/userPolicy:UserPolicy":
    case "aws:iam/groupPolicy:GroupPolicy":
      return [props.policy];
    case "aws:iam/role:Role":
      return (Array.isArray(props.inlinePolicies) ? props.inlinePolicies : []).filter(isRecord).map((p) => p.policy);
    default:
      return [];
  }
}

function tooBroad(grant: Grant): Finding[] {
  if (grant.inverted) {
    return [
      {
        got: "everything except what is listed (NotAction or NotResource)",
        allowed: "Action and Resource",
        todo: "List the needed actions and resources.",
      },
    ];
  }
  const wild = grant.actions.filter((action) => /[*?]/.test(action));
  const findings: Finding[] = wild.map((action) => ({
    got: `action ${action}`,
    allowed: "actions with their full names",
    todo: "List each action that the code calls.",
  }));
  const withResource = grant.actions.filter((action) => !actionsWithoutResource.has(action));
  for (const resource of grant.resources.filter(isAnything)) {
    if (withResource.length === 0) continue;
    findings.push({
      got: `${listed(withResource)} on ${resource}`,
      allowed: "resources by their ARN",
      todo: "Name the resource.",
    });
  }
  return findings;
}

const listed = (actions: readonly string[]) => {
  const services = new Map<string, number>();
  for (const action of actions) {
    const service = action.split(":")[0]!;
    services.set(service, (services.get(service) ?? 0) + 1);
  }
  return [...services].map(([service, count]) => `${count} of ${service}'s actions`).join(", ");
};

/**
 * Actions that have no resource on AWS, or whose resource has no name before it is made; only `*` can be written.
 * Service authorization reference; Lambda developer guide, "Giving Lambda functions access to resources in an Amazon
 * VPC".
 */
const actionsWithoutResource = new Set([
  "ec2:CreateNetworkInterface",
  "ec2:DescribeNetworkInterfaces",
  "ec2:DescribeSubnets",
  "ec2:DeleteNetworkInterface",
  "ec2:AssignPrivateIpAddresses",
  "ec2:UnassignPrivateIpAddresses",
  "secretsmanager:GetRandomPassword",
  "xray:PutTraceSegments",
  "xray:PutTelemetryRecords",
]);

/** AWS managed policies are written for all customers, so they name no resource of this program. */
export const ownPolicies: Rule = {
  name: "own-policies",
  description: "Roles have policies of this program, not AWS managed ones.",
  check: (resource) =>
    attached(resource)
      .filter((arn) => /^arn:[^:]*:iam::aws:policy\//.test(String(arn)))
      .map((arn) => ({
        got: String(arn),
        allowed: "policies with the actions and resources that are needed",
        todo: "Write an aws.iam.RolePolicy instead.",
      })),
};

function attached({ type, props }: Resource): unknown[] {
  if (/^aws:iam\/(role|user|group)?[pP]olicyAttachment:/.test(type)) return [props.policyArn];
  return type === "aws:iam/role:Role" && Array.isArray(props.managedPolicyArns) ? props.managedPolicyArns : [];
}

/** Who may use a resource, by the policy on the resource: bucket, queue, topic, secret, key, function, role. */
export const namedCallers: Rule = {
  name: "named-callers",
  description: "Resource policies name who may use the resource.",
  check: (resource) => [
    ...grantsOfPolicies(resource).flatMap(forAnyone),
    ...(isCalledByServices(resource) ? grantsOfPolicies(resource).flatMap(forAnyCustomer) : []),
    ...anyCaller(resource),
    ...openedFunction(resource),
    ...openedBucket(resource),
  ],
};

function resourcePolicies({ type, props }: Resource): unknown[] {
  if (type === "aws:iam/role:Role") return [props.assumeRolePolicy];
  return [
    "aws:s3/bucketPolicy:BucketPolicy",
    "aws:sqs/queuePolicy:QueuePolicy",
    "aws:sqs/queue:Queue",
    "aws:sns/topicPolicy:TopicPolicy",
    "aws:sns/topic:Topic",
    "aws:secretsmanager/secretPolicy:SecretPolicy",
    "aws:secretsmanager/secret:Secret",
    "aws:kms/key:Key",
    "aws:apigateway/restApi:RestApi",
    "aws:ec2/vpcEndpoint:VpcEndpoint",
  ].includes(type)
    ? [props.policy]
    : [];
}

const forAnyone = (grant: Grant): Finding[] =>
  (grant.principals.includes("*") && !grant.narrowed) || grant.inverted
    ? [
        {
          got: `anyone may do ${grant.actions.join(", ")}`,
          allowed: "named services, accounts or roles, or a condition that identifies the caller",
          todo: "Name them as Principal.",
        },
      ]
    : [];

function grantsOfPolicies(resource: Resource): Grant[] {
  const isEndpoint = resource.type === "aws:ec2/vpcEndpoint:VpcEndpoint";
  return resourcePolicies(resource).flatMap((policy) => grantsOf(policy, isEndpoint ? callerOrTargetKeys : undefined));
}

/**
 * Whether an AWS service calls the resource directly. Not roles: a caller with `iam:PassRole` passes a role to the
 * service. Not keys: a service uses a key for a topic or queue whose own policy names the source, and not every service
 * supports a condition for the key.
 */
const isCalledByServices = ({ type }: Resource) => !["aws:iam/role:Role", "aws:kms/key:Key"].includes(type);

function forAnyCustomer({ services, narrowed, actions, resources }: Grant): Finding[] {
  // Load balancers deliver logs to a bucket under keys that contain the account.
  const forOneAccount = resources.length > 0 && resources.every((resource) => /\/AWSLogs\/\d{12}\//.test(resource));
  if (narrowed || forOneAccount) return [];
  return services
    .filter((service) => !(servicesWithoutContext.has(service) && actions.every((action) => action === "sns:Publish")))
    .map((service) => ({
      got: `${service} may do ${actions.join(", ")} for any customer of AWS`,
      allowed: "a service for one source",
      todo: "Name the source in a condition, by aws:SourceArn or aws:SourceAccount.",
    }));
}

/** EventBridge publishes to a topic without context keys that a condition could check. */
const servicesWithoutContext = new Set(["events.amazonaws.com"]);

/** A URL without signatures counts as open, although AWS also requires a permission. */
function openedFunction({ type, props }: Resource): Finding[] {
  if (type !== "aws:lambda/functionUrl:FunctionUrl" || props.authorizationType !== "NONE") return [];
  return [
    {
      got: "a function URL for anyone",
      allowed: "authorizationType AWS_IAM",
      todo: "Set it, or put an API with an authorizer in front of the function.",
    },
  ];
}

/** A service acts for every customer of AWS: without a source, any account's pool or secret could call the function. */
function anyCaller({ type, props }: Resource): Finding[] {
  if (type !== "aws:lambda/permission:Permission") return [];
  const { principal, sourceArn, sourceAccount } = props;
  const named = identifiesCaller(sourceArn) || identifiesCaller(sourceAccount) || principal === unknown;
  if (principal !== "*" && (named || !String(principal).endsWith(".amazonaws.com"))) return [];
  return [
    {
      got: `principal ${shown(principal)}${named ? "" : " without sourceArn"}`,
      allowed: "one service, for one source",
      todo: "Name the service as principal and its resource as sourceArn.",
    },
  ];
}

function openedBucket({ type, props }: Resource): Finding[] {
  if (type !== "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock") return [];
  const settings = ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"];
  const off = settings.filter((setting) => props[setting] !== true && props[setting] !== unknown);
  if (off.length === 0) return [];
  return [{ got: `off: ${off.join(", ")}`, allowed: "all four on", todo: "Set them to true." }];
}
