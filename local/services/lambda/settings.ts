import { provisioningError, type ResourceRegistration } from "../../../host/resources";
import { whole } from "../../lib/inputs";
import type { ServiceContext } from "../../lib/service";
import { physicalName } from "../aws/names";
import type { Iam } from "../iam/iam";

/** A function as it was declared, checked and with Lambda's defaults. */
export interface Settings {
  readonly name: string;
  readonly arn: string;
  readonly handler: string;
  readonly runtime: string;
  readonly role: string;
  /** Seconds. */
  readonly timeout: number;
  /** MB. */
  readonly memorySize: number;
  readonly variables: Readonly<Record<string, string>>;
  /** Undefined where the function has no reservation. */
  readonly reservedConcurrency?: number;
  readonly logFormat: "JSON" | "Text";
  readonly logGroup: string;
  /** Lowest level of the function's own entries; JSON format only. */
  readonly applicationLogLevel: string;
  /** Lowest level of Lambda's own entries; JSON format only. */
  readonly systemLogLevel: string;
}

const runtimes = ["nodejs20.x", "nodejs22.x", "nodejs24.x"];

/** Variables that Lambda sets itself and refuses in a function's environment. */
const reservedVariables = new Set(
  (
    "_HANDLER _X_AMZN_TRACE_ID AWS_DEFAULT_REGION AWS_REGION AWS_EXECUTION_ENV AWS_LAMBDA_FUNCTION_NAME " +
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE AWS_LAMBDA_FUNCTION_VERSION AWS_LAMBDA_INITIALIZATION_TYPE " +
    "AWS_LAMBDA_LOG_GROUP_NAME AWS_LAMBDA_LOG_STREAM_NAME AWS_ACCESS_KEY AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY " +
    "AWS_SESSION_TOKEN AWS_LAMBDA_RUNTIME_API LAMBDA_TASK_ROOT LAMBDA_RUNTIME_DIR"
  ).split(" "),
);

/**
 * Reads the inputs of `aws.lambda.Function` and refuses what Lambda's CreateFunction refuses.
 * @throws CommandError that names the function, the input, the given value and what is allowed.
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
 */
export function readSettings(resource: ResourceRegistration, context: ServiceContext, iam: Iam): Settings {
  const { inputs } = resource;
  const name = physicalName(resource);
  if (!/^[a-zA-Z0-9-_]{1,64}$/.test(name))
    throw provisioningError(resource, "its name may have 1 to 64 letters, digits, hyphens and _.");
  for (const key of ["layers", "imageUri", "s3Bucket", "fileSystemConfig"]) {
    if (inputs[key] !== undefined) throw provisioningError(resource, `${key} is not simulated on this machine.`);
  }
  const { handler, runtime, role } = inputs;
  if (typeof handler !== "string" || !/^[^\s.]+(\.[^\s.]+)+$/.test(handler)) {
    throw provisioningError(
      resource,
      `handler is ${JSON.stringify(handler)}; allowed: file.export, for example index.handler.`,
    );
  }
  if (typeof runtime !== "string" || !runtimes.includes(runtime)) {
    throw provisioningError(
      resource,
      `runtime is ${JSON.stringify(runtime)}; allowed on this machine: ${runtimes.join(", ")}.`,
    );
  }
  if (typeof role !== "string" || !iam.assumableBy(role, "lambda.amazonaws.com")) {
    throw provisioningError(
      resource,
      `The role defined for the function cannot be assumed by Lambda (role ${JSON.stringify(role)}).`,
    );
  }
  const vpc = inputs.vpcConfig as { subnetIds?: unknown[] } | undefined;
  if (vpc?.subnetIds?.length && !iam.authorize(role, "ec2:CreateNetworkInterface", "*").allowed) {
    throw provisioningError(
      resource,
      "The provided execution role does not have permissions to call CreateNetworkInterface on EC2.",
    );
  }
  const logging = (inputs.loggingConfig ?? {}) as Partial<Record<string, string>>;
  const reserved = whole(resource, "reservedConcurrentExecutions", -1, -1, 1_000_000);
  return {
    name,
    arn: `arn:aws:lambda:${context.region}:${context.accountId}:function:${name}`,
    handler,
    runtime,
    role,
    timeout: whole(resource, "timeout", 3, 1, 900),
    memorySize: whole(resource, "memorySize", 128, 128, 10_240),
    variables: readVariables(resource),
    reservedConcurrency: reserved < 0 ? undefined : reserved,
    logFormat: logging.logFormat === "JSON" ? "JSON" : "Text",
    logGroup: logging.logGroup ?? `/aws/lambda/${name}`,
    applicationLogLevel: logging.applicationLogLevel ?? "INFO",
    systemLogLevel: logging.systemLogLevel ?? "INFO",
  };
}

function readVariables(resource: ResourceRegistration): Record<string, string> {
  const environment = resource.inputs.environment as { variables?: Record<string, unknown> } | undefined;
  const variables = environment?.variables ?? {};
  for (const [key, value] of Object.entries(variables)) {
    if (reservedVariables.has(key))
      throw provisioningError(resource, `the environment variable ${key} is reserved for Lambda itself.`);
    if (!/^[a-zA-Z]\w+$/.test(key)) {
      throw provisioningError(
        resource,
        `the environment variable ${JSON.stringify(key)} must be a letter, then letters, digits and _.`,
      );
    }
    if (typeof value !== "string")
      throw provisioningError(resource, `the environment variable ${key} must be a string.`);
  }
  const size = Buffer.byteLength(JSON.stringify(variables));
  if (size > 4096)
    throw provisioningError(resource, `the environment variables take ${size} bytes; at most 4096 are allowed.`);
  return variables as Record<string, string>;
}
