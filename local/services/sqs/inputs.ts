import { provisioningError, type ResourceRegistration } from "../../../host/resources";
import { jsonObject, whole } from "../../lib/inputs";
import type { QueueSettings } from "./queue";

/** Reads a redrive policy, which programs write as JSON text. */
export function readRedrive(resource: ResourceRegistration): QueueSettings["redrive"] {
  const policy = jsonObject(resource, "redrivePolicy");
  const maxReceives = Number(policy.maxReceiveCount);
  if (
    typeof policy.deadLetterTargetArn !== "string" ||
    !Number.isInteger(maxReceives) ||
    maxReceives < 1 ||
    maxReceives > 1000
  ) {
    const allowed = '{"deadLetterTargetArn": "<ARN>", "maxReceiveCount": 1 to 1000}';
    throw provisioningError(resource, `redrivePolicy is ${JSON.stringify(policy)}; allowed: ${allowed}.`);
  }
  return { deadLetterArn: policy.deadLetterTargetArn, maxReceives };
}

/** Which queues may use this one as their dead-letter queue. */
export type RedriveAllowed = "all" | "none" | readonly string[];

/** Reads a redrive allow policy, which programs write as JSON text. */
export function readRedriveAllowed(resource: ResourceRegistration): RedriveAllowed {
  const { redrivePermission, sourceQueueArns } = jsonObject(resource, "redriveAllowPolicy");
  if (redrivePermission === "allowAll") return "all";
  if (redrivePermission === "denyAll") return "none";
  if (redrivePermission === "byQueue" && Array.isArray(sourceQueueArns)) return sourceQueueArns.map(String);
  const allowed = "redrivePermission allowAll, denyAll, or byQueue with a list sourceQueueArns";
  throw provisioningError(
    resource,
    `redriveAllowPolicy has redrivePermission ${JSON.stringify(redrivePermission)}; allowed: ${allowed}.`,
  );
}

/**
 * The settings of `aws.sqs.Queue`.
 * @throws CommandError that names the queue, the input, the given value and what is allowed
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
 */
export function readQueue(resource: ResourceRegistration): QueueSettings {
  const { inputs } = resource;
  for (const key of ["fifoQueue", "contentBasedDeduplication"]) {
    if (inputs[key]) throw provisioningError(resource, `${key} is not simulated on this machine.`);
  }
  const { redrivePolicy } = inputs;
  return {
    visibilityTimeout: whole(resource, "visibilityTimeoutSeconds", 30, 0, 43_200),
    delay: whole(resource, "delaySeconds", 0, 0, 900),
    receiveWaitTime: whole(resource, "receiveWaitTimeSeconds", 0, 0, 20),
    retention: whole(resource, "messageRetentionSeconds", 345_600, 60, 1_209_600),
    maxMessageSize: whole(resource, "maxMessageSize", 262_144, 1024, 1_048_576),
    ...(redrivePolicy === undefined ? {} : { redrive: readRedrive(resource) }),
  };
}

export interface MappingSettings {
  readonly batchSize: number;
  readonly concurrency: number;
  readonly reportsFailures: boolean;
  readonly enabled: boolean;
}

/** Lambda starts with five pollers if the program sets no maximum; on a laptop that is enough. */
const usualConcurrency = 5;
const mappingKeys = new Set(
  "eventSourceArn functionName batchSize enabled functionResponseTypes scalingConfig maximumBatchingWindowInSeconds tags".split(
    " ",
  ),
);

/**
 * The settings of `aws.lambda.EventSourceMapping` for a queue.
 * @throws CommandError as `readQueue`; also for settings that are not simulated
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
 */
export function readMapping(resource: ResourceRegistration): MappingSettings {
  const { inputs } = resource;
  const unknown = Object.keys(inputs).find((key) => inputs[key] !== undefined && !mappingKeys.has(key));
  if (unknown || inputs.maximumBatchingWindowInSeconds) {
    throw provisioningError(
      resource,
      `${unknown ?? "maximumBatchingWindowInSeconds"} is not simulated on this machine.`,
    );
  }
  const types = (inputs.functionResponseTypes ?? []) as unknown[];
  if (types.some((type) => type !== "ReportBatchItemFailures")) {
    throw provisioningError(
      resource,
      `functionResponseTypes is ${JSON.stringify(types)}; allowed: ["ReportBatchItemFailures"].`,
    );
  }
  const scaling = { ...resource, inputs: (inputs.scalingConfig ?? {}) as Record<string, unknown> };
  return {
    batchSize: whole(resource, "batchSize", 10, 1, 10),
    concurrency:
      scaling.inputs.maximumConcurrency === undefined
        ? usualConcurrency
        : whole(scaling, "maximumConcurrency", usualConcurrency, 2, 1000),
    reportsFailures: types.length > 0,
    enabled: inputs.enabled !== false,
  };
}
