/** Stacks as arguments of the alarms and the dashboard. */
import type * as alarms from "../../infra/monitoring/alarms";
import type { Watched } from "../../infra/monitoring/metrics";
import { loadNatively } from "../support/native";

const { alarmsOf } = loadNatively<typeof alarms>("infra/monitoring/alarms.ts");

export const instance = { identifier: "database-1", instanceClass: "db.t4g.micro", storageGiB: 20 };
export const watched = {
  namespace: "Ecommerce/dev",
  functionName: "register-user-1a2b3c4",
  database: instance,
  apiName: "ecommerce-api-for-s3",
  apiStage: "v1",
  rotated: false,
};
export const withBuffer = {
  ...watched,
  queueingFunctionName: "enqueue",
  queueName: "queue",
  deadLetterQueueName: "dead",
};
export const withAll = { ...withBuffer, proxyName: "proxy-1", rotated: true };
export const onAurora = {
  ...watched,
  database: { kind: "aurora", identifier: "cluster-1", connectionLimit: 90 },
} as const;
export const keys = (of: Watched) => alarmsOf(of).map(({ key }) => key);

export const type = {
  alarm: "aws:cloudwatch/metricAlarm:MetricAlarm",
  filter: "aws:cloudwatch/logMetricFilter:LogMetricFilter",
  dashboard: "aws:cloudwatch/dashboard:Dashboard",
  topic: "aws:sns/topic:Topic",
  topicPolicy: "aws:sns/topicPolicy:TopicPolicy",
  subscription: "aws:sns/topicSubscription:TopicSubscription",
  key: "aws:kms/key:Key",
} as const;
