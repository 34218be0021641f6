import { isRecord, type Resource, type Rule, shown, unknown } from "./rule";

/** The tags `project` and `stack`, which bills and searches use. */
export const tags: Rule = {
  name: "tags",
  description: "Every resource that takes tags has the tags project and stack.",
  check(resource, { project, stack }) {
    if (!taggable.has(resource.type)) return [];
    const found = tagsOf(resource);
    if (found === unknown) return [];
    const required = { project, stack };
    const wrong = Object.entries(required).filter(([key, value]) => found[key] !== unknown && found[key] !== value);
    if (wrong.length === 0) return [];
    return [
      {
        got: wrong.map(([key]) => `tag ${key}: ${shown(found[key])}`).join(", "),
        allowed: Object.entries(required)
          .map(([key, value]) => `${key}: ${shown(value)}`)
          .join(", "),
        todo: "Add aws:defaultTags with these tags to the stack's file.",
      },
    ];
  },
};

/** A resource's own tags override the provider's default tags. */
function tagsOf({ props, provider }: Resource): Record<string, unknown> | typeof unknown {
  if (props.tags === unknown) return unknown;
  return { ...defaultTags(provider.defaultTags), ...(isRecord(props.tags) ? props.tags : {}) };
}

/** Providers get inputs that are not text as JSON. */
function defaultTags(value: unknown): Record<string, unknown> {
  const parsed: unknown = typeof value === "string" ? JSON.parse(value) : value;
  return isRecord(parsed) && isRecord(parsed.tags) ? parsed.tags : {};
}

/** The types with tags that this program registers, or may register. */
export const taggable: ReadonlySet<string> = new Set([
  "aws:apigateway/restApi:RestApi",
  "aws:apigateway/stage:Stage",
  "aws:cloudwatch/logGroup:LogGroup",
  "aws:cloudwatch/metricAlarm:MetricAlarm",
  "aws:cognito/userPool:UserPool",
  "aws:ec2/internetGateway:InternetGateway",
  "aws:ec2/routeTable:RouteTable",
  "aws:ec2/securityGroup:SecurityGroup",
  "aws:ec2/subnet:Subnet",
  "aws:ec2/vpc:Vpc",
  "aws:ec2/vpcEndpoint:VpcEndpoint",
  "aws:iam/policy:Policy",
  "aws:iam/role:Role",
  "aws:kms/key:Key",
  "aws:lambda/eventSourceMapping:EventSourceMapping",
  "aws:lambda/function:Function",
  "aws:rds/cluster:Cluster",
  "aws:rds/clusterInstance:ClusterInstance",
  "aws:rds/clusterParameterGroup:ClusterParameterGroup",
  "aws:rds/eventSubscription:EventSubscription",
  "aws:rds/instance:Instance",
  "aws:rds/parameterGroup:ParameterGroup",
  "aws:rds/proxy:Proxy",
  "aws:rds/proxyEndpoint:ProxyEndpoint",
  "aws:rds/subnetGroup:SubnetGroup",
  "aws:s3/bucket:Bucket",
  "aws:secretsmanager/secret:Secret",
  "aws:sns/topic:Topic",
  "aws:sqs/queue:Queue",
  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
]);
