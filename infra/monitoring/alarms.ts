/** The alarms as a pure table: the metric of each, the threshold, and its meaning. */
import { nearLimit } from "../database/connectionLimit";
import {
  confirmingFunction,
  connectionsOf,
  type Metric,
  metricsOf,
  type Watched,
  type WatchedInstance,
} from "./metrics";

export interface Alarm<T = string> {
  /** Suffix of the alarm's name, and anchor of its section in docs/runbook.md. */
  readonly key: string;
  /** Description for the person on call. */
  readonly meaning: string;
  readonly metric: Metric<T>;
  readonly statistic: "Sum" | "Maximum" | "Minimum" | "SampleCount";
  readonly rings: "at or above" | "below";
  readonly threshold: number;
  /** Length of a period in seconds, and how many in a row must be bad. */
  readonly period: number;
  readonly periods: number;
  /** How a period without data counts. */
  readonly missing: "notBreaching" | "breaching" | "missing" | "ignore";
}

/** A duration (ms) that leaves too little of the 5,000 ms that Cognito waits for a trigger. */
export const slowMilliseconds = 4000;
const GiB = 2 ** 30;
const minutes = 60;
const hours = 60 * minutes;
/**
 * Age in seconds. A failed message is received again every 30 s and, from the third time on, does not count in the age
 * (SQS developer guide, "Available CloudWatch metrics"): so a message of this age has not been received at all.
 */
export const waitingSeconds = 5 * minutes;

/**
 * Too long a wait (µs) for one of the proxy's connections: a new one takes some hundredths of a second, and after two
 * seconds the proxy refuses (`DatabaseProxy`).
 */
export const longBorrowMicroseconds = 1_000_000;

/**
 * The alarms, most urgent first. Left out are: connections if the instance class's limit is not known; CPU credits if
 * the class has none; queues and throttled confirmations without a buffer; proxy and rotations without them. Storage is
 * watched on an instance, capacity on Aurora.
 */
export function alarmsOf<T>(watched: Watched<T>): Alarm<T>[] {
  return [
    ...registrationAlarms(watched),
    ...bufferAlarms(watched),
    ...rotationAlarms(watched),
    ...databaseAlarms(watched),
    ...proxyAlarms(watched),
    ...apiAlarms(watched),
  ];
}

/** A count of 1 rings: each is a person. Without events the metric has no data, so missing data is not breaching. */
const oneOrMore = {
  statistic: "Sum",
  rings: "at or above",
  threshold: 1,
  period: 5 * minutes,
  periods: 1,
  missing: "notBreaching",
} as const;

function registrationAlarms<T>(watched: Watched<T>): Alarm<T>[] {
  const { counted, lambda } = metricsOf(watched);
  return [
    {
      key: "registration-failures",
      meaning: "People who confirmed their sign-up were shown an error and have no row yet.",
      metric: counted("RegistrationFailures"),
      ...oneOrMore,
    },
    {
      key: "registration-crashes",
      meaning: "The registration function ended without an answer: out of time or memory, or not even loaded.",
      metric: counted("RegistrationCrashes"),
      ...oneOrMore,
    },
    {
      key: "registration-throttling",
      meaning: "Lambda refused to run the registration function because too many were running.",
      metric: lambda("Throttles"),
      ...oneOrMore,
    },
    {
      key: "slow-registrations",
      meaning: `A confirmation took ${slowMilliseconds / 1000} s or more of the 5 s that Cognito waits, a container's start left out.`,
      // With a buffer the registration function processes batches, for which no person waits.
      metric: lambda("Duration", confirmingFunction(watched)),
      ...oneOrMore,
      statistic: "Maximum",
      threshold: slowMilliseconds,
    },
    {
      key: "late-registration-failures",
      meaning: "At sign-ins or password resets, or from the queue, rows could not be looked up or made.",
      metric: counted("LateRegistrationFailures"),
      ...oneOrMore,
      // Sometimes a sign-in does not wait for a slow start, and the next one makes the row: that should not ring.
      threshold: 5,
      period: 15 * minutes,
    },
    {
      key: "email-conflicts",
      meaning: "An address belongs to another account's row: a person must decide which account is right.",
      metric: counted("EmailConflicts"),
      ...oneOrMore,
    },
  ];
}

function bufferAlarms<T>(watched: Watched<T>): Alarm<T>[] {
  const { queueName, deadLetterQueueName, queueingFunctionName } = watched;
  const { queue, lambda } = metricsOf(watched);
  const throttled =
    queueingFunctionName === undefined
      ? []
      : [
          {
            key: "confirmation-throttling",
            meaning: "Lambda refused to run the function that queues confirmed people because too many were running.",
            metric: lambda("Throttles", queueingFunctionName),
            ...oneOrMore,
          } as const,
        ];
  const waiting =
    queueName === undefined
      ? []
      : [
          {
            key: "registrations-waiting",
            meaning: `Nobody has taken a message from the queue for ${waitingSeconds / minutes} minutes: confirmed people wait for their rows.`,
            metric: queue(queueName, "ApproximateAgeOfOldestMessage"),
            ...oneOrMore,
            statistic: "Maximum",
            threshold: waitingSeconds,
          } as const,
        ];
  const dead =
    deadLetterQueueName === undefined
      ? []
      : [
          {
            key: "dead-letters",
            meaning: "Registrations were put aside after all their tries: confirmed people without a row.",
            metric: queue(deadLetterQueueName, "ApproximateNumberOfMessagesVisible"),
            ...oneOrMore,
            statistic: "Maximum",
            // SQS stops reporting a queue that is not used for six hours; the messages are still in it.
            missing: "ignore",
          } as const,
        ];
  return [...throttled, ...waiting, ...dead];
}

function rotationAlarms<T>(watched: Watched<T>): Alarm<T>[] {
  if (!watched.rotated) return [];
  return [
    {
      key: "rotation-failures",
      meaning: "The database password could not be rotated; the old one is still good.",
      metric: metricsOf(watched).counted("RotationFailures"),
      ...oneOrMore,
      // Secrets Manager repeats a failed rotation for a while: all attempts together ring once.
      period: 1 * hours,
    },
  ];
}

function databaseAlarms<T>(watched: Watched<T>): Alarm<T>[] {
  const { rds } = metricsOf(watched);
  const limit = connectionsOf(watched);
  return [
    {
      key: "database-silent",
      meaning: "The database has reported nothing for a quarter of an hour: it is stopped, broken or gone.",
      metric: rds("DatabaseConnections"),
      statistic: "SampleCount",
      rings: "below",
      threshold: 1,
      ...gauge,
      missing: "breaching",
    },
    ...(limit === undefined
      ? []
      : [
          {
            key: "database-connections",
            meaning:
              "The database has almost as many connections as registrations may open; soon registrations will be refused.",
            metric: rds("DatabaseConnections"),
            statistic: "Maximum",
            rings: "at or above",
            threshold: nearLimit(limit),
            ...gauge,
            periods: 1,
          } as const,
        ]),
    ...(watched.database.kind === "aurora" ? auroraAlarms(watched) : instanceAlarms(watched, watched.database)),
  ];
}

/** RDS reports every minute. Without data only the alarm "database-silent" rings. */
const gauge = { period: 5 * minutes, periods: 3, missing: "missing" } as const;

function instanceAlarms<T>(watched: Watched<T>, { instanceClass, storageGiB }: WatchedInstance<T>): Alarm<T>[] {
  const { rds } = metricsOf(watched);
  return [
    {
      key: "database-storage",
      meaning: "The database's storage is almost full and has not grown by itself; when it is full, writing ends.",
      metric: rds("FreeStorageSpace"),
      statistic: "Minimum",
      rings: "below",
      // RDS increases the storage when less than a tenth is free: less than half of that means that it did not. No
      // metric reports the current size. Once the storage has grown, this threshold is a late warning; RDS's own mails
      // (`Monitoring`) come earlier.
      threshold: Math.round((storageGiB * GiB) / 20),
      ...gauge,
    },
    ...(instanceClass.startsWith("db.t")
      ? [
          {
            key: "database-cpu-credits",
            meaning: "The database has used up its CPU credits: a db.t2 becomes slow, a db.t3 or db.t4g costs extra.",
            metric: rds("CPUCreditBalance"),
            statistic: "Maximum",
            rings: "below",
            threshold: 10,
            ...gauge,
            // A new instance starts without credits and needs an hour or two to earn some.
            period: 1 * hours,
          } as const,
        ]
      : []),
  ];
}

/** @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.setting-capacity.html */
function auroraAlarms<T>(watched: Watched<T>): Alarm<T>[] {
  return [
    {
      key: "database-capacity",
      meaning: "The database has been as large as it may grow for a quarter of an hour: it becomes slow.",
      metric: metricsOf(watched).rds("ACUUtilization"),
      // The minimum: the capacity must be that large in every minute.
      statistic: "Minimum",
      rings: "at or above",
      threshold: 95,
      ...gauge,
    },
  ];
}

function proxyAlarms<T>(watched: Watched<T>): Alarm<T>[] {
  if (watched.proxyName === undefined) return [];
  return [
    {
      key: "proxy-waiting",
      meaning: "Registrations wait a second or more for a connection of RDS Proxy; after two seconds it refuses them.",
      metric: metricsOf(watched).proxy(watched.proxyName, "DatabaseConnectionsBorrowLatency"),
      ...oneOrMore,
      statistic: "Maximum",
      threshold: longBorrowMicroseconds,
    },
  ];
}

function apiAlarms<T>(watched: Watched<T>): Alarm<T>[] {
  return [
    {
      key: "image-api-errors",
      meaning: "The image API answered 5xx: people could not upload or see pictures.",
      metric: metricsOf(watched).api("5XXError"),
      statistic: "Sum",
      rings: "at or above",
      // S3 sometimes answers 503, and the person tries again.
      threshold: 5,
      period: 5 * minutes,
      periods: 1,
      missing: "notBreaching",
    },
  ];
}
