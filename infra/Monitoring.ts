import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { type Alarm, alarmsOf } from "./alarms";
import { dashboardBody } from "./dashboard";
import { registrationMetrics, rotationMetrics } from "./registrationMetrics";
import type { Watched, WatchedDatabase } from "./watched";

export interface MonitoringArgs {
  /** Stands in every name: alarms, topic and dashboard are unique in an account and region. Replaces them all. */
  stack: string;
  region: string;
  /** Who is mailed when an alarm rings and when it is over. AWS mails once to ask whether they want that. @default nobody */
  email?: string;
  /** The registration function. */
  registration: {
    functionName: pulumi.Input<string>;
    functionArn: pulumi.Input<string>;
    /** Where it logs, in Lambda's JSON format. */
    logGroupName: pulumi.Input<string>;
  };
  /** The buffer's function, which Cognito calls after a confirmation. @default it calls the registration function */
  queueingFunctionName?: pulumi.Input<string>;
  database: WatchedDatabase<pulumi.Input<string>>;
  /** Name of the proxy in front of the database. @default none */
  proxyName?: pulumi.Input<string>;
  /** The image API, by its name and its stage. */
  api: { name: pulumi.Input<string>; stage: string };
  /** Name of the queue in which registrations wait for the database. @default none */
  queueName?: pulumi.Input<string>;
  /** Name of a queue whose messages are registrations that failed for good; each rings an alarm. @default none */
  deadLetterQueueName?: pulumi.Input<string>;
  /** Where the function that rotates the database password logs, in Lambda's JSON format. @default nothing is rotated */
  rotationLogGroupName?: pulumi.Input<string>;
}

/**
 * What a person on call needs: counts from the functions' logs, the alarms of `alarms.ts` with their topic,
 * and a dashboard. docs/runbook.md has a section for each alarm, which the alarm's description names.
 */
export class Monitoring extends pulumi.ComponentResource {
  /** Where every alarm says that it rings, and that it is over. */
  readonly topicArn: pulumi.Output<string>;

  constructor(name: string, args: MonitoringArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ecommerce:operations:Monitoring", name, {}, opts);
    const watched: Watched<pulumi.Input<string>> = {
      namespace: `Ecommerce/${args.stack}`,
      functionName: args.registration.functionName,
      database: args.database,
      apiName: args.api.name,
      apiStage: args.api.stage,
      rotated: args.rotationLogGroupName !== undefined,
      ...(args.queueingFunctionName === undefined ? {} : { queueingFunctionName: args.queueingFunctionName }),
      ...(args.proxyName === undefined ? {} : { proxyName: args.proxyName }),
      ...(args.queueName === undefined ? {} : { queueName: args.queueName }),
      ...(args.deadLetterQueueName === undefined ? {} : { deadLetterQueueName: args.deadLetterQueueName }),
    };

    countInLog(name, registrationMetrics, args.registration.logGroupName, watched.namespace, this);
    if (args.rotationLogGroupName !== undefined) {
      countInLog(name, rotationMetrics, args.rotationLogGroupName, watched.namespace, this);
    }
    const { topic, policy } = alarmTopic(name, args, this);
    if (args.database.kind !== "aurora") mailsOfStorage(name, args.database.identifier, topic, policy, this);
    const alarms = alarmsOf(watched).map((alarm) => metricAlarm(name, args.stack, alarm, topic, this));
    dashboard(name, args, watched, alarms, this);

    this.topicArn = pulumi.all([topic.arn, policy.id]).apply(([arn]) => arn);
    this.registerOutputs({ topicArn: this.topicArn });
  }
}

function countInLog(
  name: string,
  metrics: Readonly<Record<string, string>>,
  logGroupName: pulumi.Input<string>,
  namespace: string,
  parent: pulumi.Resource,
): void {
  for (const [metric, pattern] of Object.entries(metrics)) {
    new aws.cloudwatch.LogMetricFilter(
      `${name}-${metric}`,
      { logGroupName, pattern, metricTransformation: { namespace, name: metric, value: "1", unit: "Count" } },
      { parent },
    );
  }
}

/**
 * The topic, encrypted at rest, which only the alarms and databases of this account and region may write to.
 *
 * CloudWatch cannot use the key that AWS keeps for SNS, so the key is one of our own (about 1 USD a month).
 * {@link https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services}
 */
function alarmTopic(name: string, args: MonitoringArgs, parent: pulumi.Resource) {
  const account = pulumi.output(args.registration.functionArn).apply(accountOf);
  const alarmsOfThisAccount = {
    Effect: "Allow",
    Principal: { Service: "cloudwatch.amazonaws.com" },
    Condition: {
      StringEquals: { "aws:SourceAccount": account },
      ArnLike: { "aws:SourceArn": pulumi.interpolate`arn:aws:cloudwatch:${args.region}:${account}:alarm:*` },
    },
  };
  const databases = { Effect: "Allow", Principal: { Service: "events.rds.amazonaws.com" } };
  const databasesOfThisAccount = {
    ...databases,
    Condition: {
      StringEquals: { "aws:SourceAccount": account },
      ArnLike: { "aws:SourceArn": pulumi.interpolate`arn:aws:rds:${args.region}:${account}:*` },
    },
  };
  const encrypt = { Action: ["kms:Decrypt", "kms:GenerateDataKey*"], Resource: "*" };
  const key = new aws.kms.Key(
    `${name}-key`,
    {
      description: `Alarms of the stack ${args.stack}`,
      enableKeyRotation: true,
      deletionWindowInDays: 7,
      policy: pulumi.jsonStringify({
        Version: "2012-10-17",
        Statement: [
          {
            // Without this statement nobody could ever change the key again (KMS developer guide, "Default key policy").
            Sid: "TheAccountDecides",
            Effect: "Allow",
            Principal: { AWS: pulumi.interpolate`arn:aws:iam::${account}:root` },
            Action: "kms:*",
            Resource: "*",
          },
          { Sid: "AlarmsEncrypt", ...alarmsOfThisAccount, ...encrypt },
          // Whose events are encrypted the topic's policy says; for the key AWS documents no condition.
          { Sid: "DatabasesEncrypt", ...databases, ...encrypt },
        ],
      }),
    },
    { parent },
  );
  const topic = new aws.sns.Topic(
    `${name}-alarms`,
    { name: `ecommerce-${args.stack}-alarms`, kmsMasterKeyId: key.id },
    { parent },
  );
  const policy = new aws.sns.TopicPolicy(
    `${name}-alarms-policy`,
    {
      arn: topic.arn,
      policy: pulumi.jsonStringify({
        Version: "2012-10-17",
        Statement: [
          { Sid: "AlarmsPublish", ...alarmsOfThisAccount, Action: "sns:Publish", Resource: topic.arn },
          { Sid: "DatabasesPublish", ...databasesOfThisAccount, Action: "sns:Publish", Resource: topic.arn },
        ],
      }),
    },
    { parent },
  );
  if (args.email !== undefined) {
    new aws.sns.TopicSubscription(
      `${name}-email`,
      { topic: topic.arn, protocol: "email", endpoint: args.email },
      { parent },
    );
  }
  return { topic, policy };
}

/**
 * RDS's own mails about an instance's storage, whatever size it has by now: nine tenths are used (category
 * `low storage`), it could not grow, or the next step reaches the largest size (category `failure`).
 * {@link https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.Messages.html}
 */
function mailsOfStorage(
  name: string,
  identifier: pulumi.Input<string>,
  topic: aws.sns.Topic,
  policy: aws.sns.TopicPolicy,
  parent: pulumi.Resource,
): void {
  new aws.rds.EventSubscription(
    `${name}-storage`,
    {
      snsTopic: topic.arn,
      sourceType: "db-instance",
      sourceIds: [identifier],
      eventCategories: ["low storage", "failure"],
    },
    // RDS sends a message to try the topic.
    { parent, dependsOn: [policy] },
  );
}

/** `arn:aws:lambda:us-east-1:111122223333:function:…` → the account: no question to AWS for what an ARN tells. */
const accountOf = (arn: string) => arn.split(":")[4]!;

function metricAlarm(
  name: string,
  stack: string,
  alarm: Alarm<pulumi.Input<string>>,
  topic: aws.sns.Topic,
  parent: pulumi.Resource,
): aws.cloudwatch.MetricAlarm {
  return new aws.cloudwatch.MetricAlarm(
    `${name}-${alarm.key}`,
    {
      name: `ecommerce-${stack}-${alarm.key}`,
      alarmDescription: `${alarm.meaning} What to do: docs/runbook.md#${alarm.key}`,
      namespace: alarm.metric.namespace,
      metricName: alarm.metric.name,
      dimensions: alarm.metric.dimensions,
      statistic: alarm.statistic,
      comparisonOperator: alarm.rings === "below" ? "LessThanThreshold" : "GreaterThanOrEqualToThreshold",
      threshold: alarm.threshold,
      period: alarm.period,
      evaluationPeriods: alarm.periods,
      treatMissingData: alarm.missing,
      alarmActions: [topic.arn],
      okActions: [topic.arn],
    },
    { parent },
  );
}

function dashboard(
  name: string,
  args: MonitoringArgs,
  watched: Watched<pulumi.Input<string>>,
  alarms: readonly aws.cloudwatch.MetricAlarm[],
  parent: pulumi.Resource,
): void {
  const { stack, region } = args;
  const body = pulumi
    .output({ watched, logGroupName: args.registration.logGroupName, alarmArns: alarms.map(({ arn }) => arn) })
    .apply((known) => JSON.stringify(dashboardBody({ stack, region, ...known })));
  new aws.cloudwatch.Dashboard(
    `${name}-dashboard`,
    { dashboardName: `ecommerce-${stack}`, dashboardBody: body },
    { parent },
  );
}
