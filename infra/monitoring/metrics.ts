/** What is watched, and its metrics. Pure. */
import { connectionLimit, proxyPercent } from "../database/connectionLimit";
import type { LogMetric } from "./logMetrics";

/** What is watched. `T` is text, or a Pulumi input that is resolved once the resource exists. */
export interface Watched<T = string> {
  /** The stack's own namespace for what is counted in logs. */
  readonly namespace: string;
  /** The registration function: Cognito calls it at sign-ins and, where there is no buffer, after a confirmation. */
  readonly functionName: T;
  /** The buffer's function, which Cognito calls after a confirmation; undefined without a buffer. */
  readonly queueingFunctionName?: T;
  readonly database: WatchedDatabase<T>;
  readonly apiName: T;
  readonly apiStage: string;
  /** The buffer's queue and its dead-letter queue; undefined without a buffer. */
  readonly queueName?: T;
  readonly deadLetterQueueName?: T;
  /** RDS Proxy in front of the database; undefined without one. */
  readonly proxyName?: T;
  /** Whether the database password is rotated. */
  readonly rotated: boolean;
}

/** The two kinds of databases, which have different metrics and dimensions. */
export type WatchedDatabase<T = string> = WatchedInstance<T> | WatchedAurora<T>;

export interface WatchedInstance<T = string> {
  /** @default instance */
  readonly kind?: "instance";
  readonly identifier: T;
  /** Decides the limit of connections; no alarm for them if the class is not known. */
  readonly instanceClass: string;
  /** Storage (GiB) of the database when it was made. */
  readonly storageGiB: number;
}

/** Aurora Serverless v2. Its storage grows automatically to 128 TiB, so it is not watched. */
export interface WatchedAurora<T = string> {
  readonly kind: "aurora";
  /** Identifier of the cluster. */
  readonly identifier: T;
  /** How many connections it accepts. */
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
    // The metrics for the whole proxy; there are also metrics by endpoint and target (RDS user guide, "Monitoring RDS
    // Proxy").
    proxy: (proxyName: T, name: string) => metric("AWS/RDS", name, { ProxyName: proxyName }),
    api: (name: string) => metric("AWS/ApiGateway", name, { ApiName: watched.apiName, Stage: watched.apiStage }),
    queue: (queueName: T, name: string) => metric("AWS/SQS", name, { QueueName: queueName }),
  };
}

/** The function that people wait for when they confirm their sign-up. */
export const confirmingFunction = <T>(watched: Watched<T>): T => watched.queueingFunctionName ?? watched.functionName;

/**
 * How many connections registrations may open: all that the database accepts, or the proxy's share.
 * @returns undefined if the limit is not known
 */
export function connectionsOf({ database, proxyName }: Watched<unknown>): number | undefined {
  const limit = database.kind === "aurora" ? database.connectionLimit : connectionLimit(database.instanceClass);
  return limit && proxyName !== undefined ? Math.floor((limit * proxyPercent) / 100) : limit;
}
