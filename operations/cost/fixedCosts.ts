import type { ResourceRegistration } from "../../host/resources";
import { hoursPerMonth, type Line, line, lineIfKnown, type NotPriced } from "./line";
import type { PriceKey } from "./prices";

/** What a stack costs each month without any use. */
export interface Fixed {
  readonly lines: readonly Line[];
  /** Prices that depend on use, apart from sign-ups and uploads: each price once, with quantity 1. */
  readonly byUse: readonly Line[];
  readonly notPriced: readonly NotPriced[];
  /** Resources without a price of their own: type → how many. */
  readonly free: ReadonlyMap<string, number>;
}

/** Returns the prices of one resource; `all` is the whole stack, for prices that depend on another resource. */
type Pricing = (resource: ResourceRegistration, all: readonly ResourceRegistration[]) => readonly (Line | NotPriced)[];

const instanceType = "aws:rds/instance:Instance";
const clusterType = "aws:rds/cluster:Cluster";
const memberType = "aws:rds/clusterInstance:ClusterInstance";

/**
 * Virtual processors of an instance class (RDS user guide, "Hardware specifications for DB instance classes").
 * @returns undefined for an unknown class: all except t3, t4g, and m5, r5 and newer; and metal ones
 */
function processorsOf(instanceClass: unknown): number | undefined {
  const [, burstable, size, times] =
    /^db\.(?:(t3|t4g)|[mr][5-9][a-z]*)\.(micro|small|medium|large|(\d*)xlarge)$/.exec(String(instanceClass)) ?? [];
  if (size === undefined || (!burstable && /^(micro|small|medium)$/.test(size))) return undefined;
  return size.endsWith("xlarge") ? 4 * Number(times || 1) : 2;
}
/**
 * Lambda polls an empty queue with five pollers at first. Each uses long polling, which SQS ends after 20 s at most
 * (Lambda developer guide, "Using Lambda with Amazon SQS").
 */
const pollsPerMonth = 5 * (3600 / 20) * hoursPerMonth;
/** A proxy in front of Aurora Serverless is billed for at least this many capacity units (its pricing page). */
const leastCapacityOfAProxy = 8;

const pricings: Readonly<Record<string, Pricing>> = {
  [instanceType]: (resource) => {
    const { inputs } = resource;
    const zones = inputs.multiAz === true ? ".twoZones" : "";
    const where = zones ? ", two zones" : "";
    const storage = String(inputs.storageType);
    return [
      knownOrNot(resource, `${inputs.instanceClass}${where}`, hoursPerMonth, `rds.${inputs.instanceClass}${zones}`),
      knownOrNot(resource, `storage ${storage}${where}`, Number(inputs.allocatedStorage), `rds.${storage}${zones}`),
      ...publicAddress(resource),
    ];
  },
  // A cluster's storage is paid by use, and its instances are resources of their own.
  [clusterType]: () => [],
  [memberType]: (resource, all) => {
    const { name, inputs } = resource;
    if (inputs.instanceClass !== "db.serverless") {
      return [notPriced(resource, `the price table has no Aurora class ${inputs.instanceClass}`)];
    }
    const { least, most } = capacityOf(clusterOf(resource, all));
    const what = `${least} capacity units, the least; ${most} at most`;
    return [line(name, what, least * hoursPerMonth, "aurora.capacity"), ...publicAddress(resource)];
  },
  "aws:rds/proxy:Proxy": (proxy, all) => {
    const { name } = proxy;
    const members = all.filter(({ type }) => type === memberType);
    const instances = all.filter(({ type }) => type === instanceType);
    const lines = instances.map((instance) => {
      const processors = processorsOf(instance.inputs.instanceClass);
      return processors === undefined
        ? notPriced(proxy, `the number of processors of ${instance.inputs.instanceClass} is not known`)
        : line(name, `proxy for ${instance.name}, ${processors} processors`, processors * hoursPerMonth, "rds.proxy");
    });
    if (members.length === 0) return lines;
    const units = members.reduce((total, member) => total + capacityOf(clusterOf(member, all)).least, 0);
    const billed = Math.max(units, leastCapacityOfAProxy) * hoursPerMonth;
    return [...lines, line(name, "proxy for Aurora, at least", billed, "rds.proxy.serverless")];
  },
  "aws:ec2/vpcEndpoint:VpcEndpoint": (resource) => {
    const { name, inputs } = resource;
    // Gateway endpoints (S3, DynamoDB) are free; AWS creates one where no type is given.
    if (inputs.vpcEndpointType !== "Interface") return [];
    const zones = (inputs.subnetIds as unknown[] | undefined)?.length ?? 0;
    if (zones === 0) return [notPriced(resource, "an interface endpoint without subnets")];
    return [line(name, `endpoint in ${zones} zones`, zones * hoursPerMonth, "vpc.endpoint")];
  },
  "aws:lambda/eventSourceMapping:EventSourceMapping": ({ name }) => [
    line(name, "asking the empty queue", pollsPerMonth / 1e6, "queue.requests"),
  ],
  "aws:secretsmanager/secret:Secret": ({ name }) => [line(name, "secret", 1, "secret.month")],
  // AWS managed keys are free; a key in the program is a customer managed key.
  "aws:kms/key:Key": ({ name }) => [line(name, "key", 1, "kms.key")],
  "aws:cloudwatch/metricAlarm:MetricAlarm": (resource) => {
    const { name, inputs } = resource;
    if (Number(inputs.period ?? 60) < 60) return [notPriced(resource, "an alarm of high resolution")];
    const queries = (inputs.metricQueries as { metric?: unknown }[] | undefined) ?? [{ metric: inputs.metricName }];
    return [line(name, "alarm", queries.filter(({ metric }) => metric !== undefined).length, "alarm.metric")];
  },
  "aws:cloudwatch/dashboard:Dashboard": ({ name }) => [line(name, "dashboard", 1, "dashboard.month")],
};

/** What is paid by use: type → descriptions and prices. */
const usage: Readonly<Record<string, readonly (readonly [string, PriceKey])[]>> = {
  [instanceType]: [
    ["backups beyond the database's size", "rds.backup"],
    ["the database's error log, written", "log.ingested"],
  ],
  [clusterType]: [
    ["backups beyond Aurora's size", "aurora.backup"],
    ["the database's error log, written", "log.ingested"],
    ["data in Aurora", "aurora.storage"],
    ["reads and writes of Aurora's storage", "aurora.requests"],
    ["capacity above the least", "aurora.capacity"],
  ],
  "aws:ec2/vpcEndpoint:VpcEndpoint": [["data through an endpoint", "vpc.endpointData"]],
  "aws:kms/key:Key": [["each of a key's first two yearly rotations, from then on", "kms.rotation"]],
  "aws:cloudwatch/logGroup:LogGroup": [
    ["logs written", "log.ingested"],
    ["logs kept", "log.stored"],
  ],
  "aws:cloudwatch/logMetricFilter:LogMetricFilter": [
    ["each metric from the log, if it counts every hour", "metric.custom"],
  ],
  "aws:s3/bucket:Bucket": [
    ["pictures kept", "bucket.stored"],
    ["pictures shown, all traffic out", "traffic.out"],
  ],
};

/** Paid by sign-up or upload: see variableCosts.ts. */
const bySignUpOrUpload = [
  "aws:apigateway/restApi:RestApi",
  "aws:cognito/userPool:UserPool",
  "aws:lambda/function:Function",
  "aws:sqs/queue:Queue",
];

/**
 * Types without a price of their own, according to AWS's pricing pages. Topics send mails for alarms and for RDS's
 * events about its storage; both are rare.
 */
const free = new Set([
  ...bySignUpOrUpload,
  ...[
    "account:Account",
    "authorizer:Authorizer",
    "deployment:Deployment",
    "integration:Integration",
    "integrationResponse:IntegrationResponse",
    "method:Method",
    "methodResponse:MethodResponse",
    "methodSettings:MethodSettings",
    "requestValidator:RequestValidator",
    "resource:Resource",
    "response:Response",
    "stage:Stage",
  ].map((type) => `aws:apigateway/${type}`),
  ...[
    "managedLoginBranding:ManagedLoginBranding",
    "resourceServer:ResourceServer",
    "userPoolClient:UserPoolClient",
    "userPoolDomain:UserPoolDomain",
  ].map((type) => `aws:cognito/${type}`),
  ...[
    "internetGateway:InternetGateway",
    "route:Route",
    "routeTable:RouteTable",
    "routeTableAssociation:RouteTableAssociation",
    "securityGroup:SecurityGroup",
    "subnet:Subnet",
    "vpc:Vpc",
  ].map((type) => `aws:ec2/${type}`),
  ...["policy:Policy", "role:Role", "rolePolicy:RolePolicy", "rolePolicyAttachment:RolePolicyAttachment"].map(
    (type) => `aws:iam/${type}`,
  ),
  ...["invocation:Invocation", "permission:Permission"].map((type) => `aws:lambda/${type}`),
  ...[
    "clusterParameterGroup:ClusterParameterGroup",
    "eventSubscription:EventSubscription",
    "parameterGroup:ParameterGroup",
    "proxyDefaultTargetGroup:ProxyDefaultTargetGroup",
    "proxyTarget:ProxyTarget",
    "subnetGroup:SubnetGroup",
  ].map((type) => `aws:rds/${type}`),
  ...[
    "bucketOwnershipControls:BucketOwnershipControls",
    "bucketPolicy:BucketPolicy",
    "bucketPublicAccessBlock:BucketPublicAccessBlock",
    "bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "bucketVersioning:BucketVersioning",
  ].map((type) => `aws:s3/${type}`),
  ...["secretPolicy:SecretPolicy", "secretRotation:SecretRotation", "secretVersion:SecretVersion"].map(
    (type) => `aws:secretsmanager/${type}`,
  ),
  ...["topic:Topic", "topicPolicy:TopicPolicy", "topicSubscription:TopicSubscription"].map((type) => `aws:sns/${type}`),
  ...["queuePolicy:QueuePolicy", "redriveAllowPolicy:RedriveAllowPolicy"].map((type) => `aws:sqs/${type}`),
  ...["securityGroupEgressRule:SecurityGroupEgressRule", "securityGroupIngressRule:SecurityGroupIngressRule"].map(
    (type) => `aws:vpc/${type}`,
  ),
]);
/** Providers whose resources are not on AWS: passwords, the content of MySQL, the program's own components. */
const freeProviders = /^(mysql|random|pulumi|pulumi-nodejs):/;

/**
 * The fixed monthly price of each resource.
 * @param resources the stack's, as the program registered them
 */
export function fixedPrices(resources: readonly ResourceRegistration[]): Fixed {
  const lines: Line[] = [];
  const byUse = new Map<string, Line>();
  const missing: NotPriced[] = [];
  const without = new Map<string, number>();
  for (const resource of resources) {
    const { type } = resource;
    const pricing = pricings[type];
    for (const [what, key] of usage[type] ?? []) byUse.set(what, line("", what, 1, key));
    if (pricing) {
      for (const found of pricing(resource, resources)) {
        if ("reason" in found) missing.push(found);
        else lines.push(found);
      }
    } else if (usage[type] || free.has(type) || freeProviders.test(type)) {
      without.set(type, (without.get(type) ?? 0) + 1);
    } else {
      missing.push(notPriced(resource, "the price table does not have this type"));
    }
  }
  return { lines, byUse: [...byUse.values()], notPriced: missing, free: without };
}

const notPriced = ({ name, type }: ResourceRegistration, reason: string): NotPriced => ({ of: name, type, reason });

const knownOrNot = (resource: ResourceRegistration, what: string, quantity: number, key: string): Line | NotPriced =>
  lineIfKnown(resource.name, what, quantity, key) ?? notPriced(resource, `the price table has no ${key}`);

const publicAddress = ({ name, inputs }: ResourceRegistration): Line[] =>
  inputs.publiclyAccessible === true ? [line(name, "public address", hoursPerMonth, "vpc.publicAddress")] : [];

/** The cluster that the instance belongs to: its identifier is the cluster's id or name. */
function clusterOf(
  member: ResourceRegistration,
  all: readonly ResourceRegistration[],
): ResourceRegistration | undefined {
  const clusters = all.filter(({ type }) => type === clusterType);
  const identifier = member.inputs.clusterIdentifier;
  return clusters.find(({ name, inputs }) => [name, inputs.clusterIdentifier].includes(identifier)) ?? clusters[0];
}

/** Aurora's capacity units for one instance of the cluster; AWS's own limits where the program sets none. */
function capacityOf(cluster: ResourceRegistration | undefined): { least: number; most: number } {
  const scaling = cluster?.inputs.serverlessv2ScalingConfiguration as
    | { minCapacity?: number; maxCapacity?: number }
    | undefined;
  return { least: scaling?.minCapacity ?? 0.5, most: scaling?.maxCapacity ?? 1 };
}
