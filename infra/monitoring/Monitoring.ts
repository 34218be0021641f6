import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { accountOf } from "../names";
import { type Alarm, alarmsOf } from "./alarms";
import { alarmTopic } from "./alarmTopic";
import { dashboardBody } from "./dashboard";
import { registrationMetrics, rotationMetrics } from "./logMetrics";
import type { Watched, WatchedDatabase } from "./metrics";

export interface MonitoringArgs {
  /** Part of every name: alarms, topic and dashboard are unique in an account and region. Replaces them all. */
  stack: string;
  region: string;
  /**
   * Recipient of a mail when an alarm rings and when it is over. AWS first mails a link to confirm the subscription.
   * @default no mail
   */
  email?: string;
  /** The registration function. */
  registration: {
    functionName: pulumi.Input<string>;
    functionArn: pulumi.Input<string>;
    /** Log group of the function, in Lambda's JSON format. */
    logGroupName: pulumi.Input<string>;
  };
  /**
   * The buffer's function, which Cognito calls after a confirmation. @default Cognito calls the registration function
   */
  queueingFunctionName?: pulumi.Input<string>;
  database: WatchedDatabase<pulumi.Input<string>>;
  /** Name of the proxy in front of the database. @default none */
  proxyName?: pulumi.Input<string>;
  /** The image API, by its name and its stage. */
  api: { name: pulumi.Input<string>; stage: string };
  /** Name of the queue in which registrations wait for the database. @default none */
  queueName?: pulumi.Input<string>;
  /**
   * Name of the dead-letter queue: each of its messages is a registration that failed, and rings an alarm. @default
   * none
   */
  deadLetterQueueName?: pulumi.Input<string>;
  /**
   * Log group of the function that rotates the database password, in Lambda's JSON format.
   * @default nothing is rotated
   */
  rotationLogGroupName?: pulumi.Input<string>;
}

/**
 * What a person on call needs: counts from the functions' logs, the alarms of `alarms.ts` with their topic,
 * and a dashboard. docs/runbook.md has a section for each alarm, which the alarm's description names.
 */
export class Monitoring extends pulumi.ComponentResource {
  /** The topic to which every alarm publishes when it rings and when it is over. */
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
    const account = pulumi.output(args.registration.functionArn).apply(accountOf);
    const { topic, policy } = alarmTopic(name, { ...args, account }, this);
    if (args.database.kind !== "aurora") subscribeToStorageEvents(name, args.database.identifier, topic, policy, this);
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
 * RDS's own mails about an instance's storage, whatever its current size: nine tenths are used (category
 * `low storage`), it could not grow, or the next step reaches the largest size (category `failure`).
 * {@link https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.Messages.html}
 */
function subscribeToStorageEvents(
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
    // RDS publishes a test message when the subscription is made.
    { parent, dependsOn: [policy] },
  );
}

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
