import { isRecord, type Resource, type Rule, shown, unknown } from "./rule";

/** Bills and searches go by them: of which project and stack something is. */
export const tags: Rule = {
  name: "tags",
  description: "Whatever can carry tags says of which project and stack it is.",
  check(resource, { project, stack }) {
    if (!taggable.has(resource.type)) return [];
    const found = tagsOf(resource);
    if (found === unknown) return [];
    const wanted = { project, stack };
    const wrong = Object.entries(wanted).filter(([key, value]) => found[key] !== unknown && found[key] !== value);
    if (wrong.length === 0) return [];
    return [
      {
        got: wrong.map(([key]) => `tag ${key}: ${shown(found[key])}`).join(", "),
        allowed: Object.entries(wanted)
          .map(([key, value]) => `${key}: ${shown(value)}`)
          .join(", "),
        todo: "Give the stack's file aws:defaultTags with these tags.",
      },
    ];
  },
};

/** The provider lays a resource's own tags over its default ones. */
function tagsOf({ props, provider }: Resource): Record<string, unknown> | typeof unknown {
  if (props.tags === unknown) return unknown;
  return { ...defaultTags(provider.defaultTags), ...(isRecord(props.tags) ? props.tags : {}) };
}

/** Providers get what is not text as JSON. */
function defaultTags(value: unknown): Record<string, unknown> {
  const parsed: unknown = typeof value === "string" ? JSON.parse(value) : value;
  return isRecord(parsed) && isRecord(parsed.tags) ? parsed.tags : {};
}

/** The types that this program registers, or may, and that take tags. */
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
