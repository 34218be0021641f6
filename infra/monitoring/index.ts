import type * as pulumi from "@pulumi/pulumi";
import type { ProgramContext, Settings } from "../config";
import type { DatabaseAccess } from "../database";
import { auroraConnectionLimit } from "../database/connectionLimit";
import type { Database } from "../database/Database";
import type { createUsers } from "../users";
import { Monitoring } from "./Monitoring";
import type { WatchedDatabase } from "./metrics";

interface Monitored extends Pick<DatabaseAccess, "proxy" | "rotation">, Omit<ReturnType<typeof createUsers>, "users"> {
  readonly database: Database;
  /** Name of the image API in CloudWatch's metrics. */
  readonly apiName: string;
}

/** Alarms, their topic, the metrics of the logs and the dashboard. */
export function createMonitoring({ stack, region, settings }: ProgramContext, monitored: Monitored): Monitoring {
  const { registration, buffer, database, proxy, rotation, apiName } = monitored;
  return new Monitoring("monitoring", {
    stack,
    region,
    ...(settings["alarms.email"] === "none" ? {} : { email: settings["alarms.email"] }),
    registration,
    queueingFunctionName: buffer?.functionName,
    database: watchedDatabase(settings, database.identifier),
    proxyName: proxy?.proxyName,
    api: { name: apiName, stage: settings["api.stage"] },
    queueName: buffer?.queueName,
    deadLetterQueueName: buffer?.deadLetterQueueName,
    rotationLogGroupName: rotation?.logGroupName,
  });
}

/** The database as an argument of `Monitoring`. */
function watchedDatabase(settings: Settings, identifier: pulumi.Output<string>): WatchedDatabase<pulumi.Input<string>> {
  return settings["database.kind"] === "aurora"
    ? { kind: "aurora", identifier, connectionLimit: auroraConnectionLimit(settings["database.maxMemoryGiB"]) }
    : { identifier, instanceClass: settings["database.instanceClass"], storageGiB: settings["database.storageGiB"] };
}
