/** What is watched, and the metrics by which. Pure. */
import { connectionLimit, proxyPercent } from "../database/connectionLimit";
import type { LogMetric } from "./logMetrics";

/** What is watched. `T` is text, or what Pulumi knows only once it is made. */
export interface Watched<T = string> {
  /** The stack's own namespace for what is counted in logs. */
  readonly namespace: string;
  /** The registration function: Cognito calls it at sign-ins and, where there is no buffer, after a confirmation. */
  readonly functionName: T;
  /** The buffer's function, which Cognito calls after a confirmation, where there is a buffer. */
  readonly queueingFunctionName?: T;
  readonly database: WatchedDatabase<T>;
  readonly apiName: T;
  readonly apiStage: string;
  /** The buffer's queue before the database, and its dead-letter queue, where there is a buffer. */
  readonly queueName?: T;
  readonly deadLetterQueueName?: T;
  /** RDS Proxy in front of the database, where there is one. */
  readonly proxyName?: T;
  /** Whether the database password is rotated. */
  readonly rotated: boolean;
}

/** The two kinds of databases, which report different things under different names. */
export type WatchedDatabase<T = string> = WatchedInstance<T> | WatchedAurora<T>;

export interface WatchedInstance<T = string> {
  /** @default instance */
  readonly kind?: "instance";
  readonly identifier: T;
  /** Decides how many connections are too many; no alarm for them where the class is not known. */
  readonly instanceClass: string;
  /** Storage (GiB) that the database was made with. */
  readonly storageGiB: number;
}

/** Aurora Serverless v2. Its storage grows by itself to 128 TiB, so nobody watches that. */
export interface WatchedAurora<T = string> {
  readonly kind: "aurora";
  /** The cluster's. */
  readonly identifier: T;
  /** How many connections it takes. */
  readonly connectionLimit: number;
}

export interface Metric<T = string> {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, T>>;
}

/** All metrics that are watched or drawn. */
export function metricsOf<T>(watched: Watched<T>) {
  const identifiedBy = watched.database.kind === "aurora" ? "DBClusterIdentifier" : "DBInstanceIdentifier";
  const metric = (namespace: string, name: string, dimensions: Record<string, T | string> = {}) =>
    ({ namespace, name, dimensions }) as Metric<T>;
  return {
    counted: (name: LogMetric) => metric(watched.namespace, name),
    lambda: (name: string, functionName = watched.functionName) =>
      metric("AWS/Lambda", name, { FunctionName: functionName }),
    rds: (name: string) => metric("AWS/RDS", name, { [identifiedBy]: watched.database.identifier }),
    // By the proxy's name alone; it has metrics by endpoint and target, too (RDS user guide, "Monitoring RDS Proxy").
    proxy: (proxyName: T, name: string) => metric("AWS/RDS", name, { ProxyName: proxyName }),
    api: (name: string) => metric("AWS/ApiGateway", name, { ApiName: watched.apiName, Stage: watched.apiStage }),
    queue: (queueName: T, name: string) => metric("AWS/SQS", name, { QueueName: queueName }),
  };
}

/** The function that people wait for when they confirm their sign-up. */
export const confirmingFunction = <T>(watched: Watched<T>): T => watched.queueingFunctionName ?? watched.functionName;

/**
 * How many connections registrations may open: all that the database takes, or the proxy's share.
 * @returns undefined where that is not known
 */
export function connectionsOf({ database, proxyName }: Watched<unknown>): number | undefined {
  const limit = database.kind === "aurora" ? database.connectionLimit : connectionLimit(database.instanceClass);
  return limit && proxyName !== undefined ? Math.floor((limit * proxyPercent) / 100) : limit;
}
