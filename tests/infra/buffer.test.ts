/** `registration.buffer`: the queue between a confirmation and the database. */
import { beforeAll, describe, expect, it } from "vitest";
import type * as buffers from "../../infra/users/RegistrationBuffer";
import { loadNatively } from "../support/native";
import { arnOf, idOf, type Recorded, recordProgram } from "../support/program";

const queueType = "aws:sqs/queue:Queue";
const functionType = "aws:lambda/function:Function";
const buffered = (more: Record<string, unknown> = {}) =>
  recordProgram({ "ecommerce:registration": JSON.stringify({ buffer: true, ...more }) });

const parsed = (document: unknown) => (typeof document === "string" ? JSON.parse(document) : document) as any;
const arn = (name: string) => arnOf({ name });
const [queueArn, deadLettersArn] = [arn("registration-buffer-queue"), arn("registration-buffer-dead-letters")];
/** The statements of the policies of a role. */
const mayDo = (program: Recorded, role: string) =>
  program
    .all("aws:iam/rolePolicy:RolePolicy")
    .filter(({ inputs }) => [role, idOf({ name: role })].includes(String(inputs.role)))
    .flatMap(({ inputs }) => parsed(inputs.policy).Statement)
    .map(({ Sid, Action, Resource }) => [Sid, Action, Resource]);

describe("off, the default", () => {
  it("registers no queue and no second function; Cognito calls the registration function", async () => {
    const program = await recordProgram();
    const types = program.resources.map(({ type }) => type);
    expect(types.filter((type) => type.startsWith("aws:sqs/") || type.includes("eventSourceMapping"))).toEqual([]);
    expect(program.all(functionType).map(({ name }) => name)).toEqual(["register-user"]);
    const registerUser = arn("register-user");
    expect(program.one("aws:cognito/userPool:UserPool").inputs.lambdaConfig).toEqual({
      postConfirmation: registerUser,
      postAuthentication: registerUser,
    });
    expect(program.all("aws:cloudwatch/metricAlarm:MetricAlarm").map(({ name }) => name)).not.toContain(
      "monitoring-dead-letters",
    );
  });
});

describe("on", () => {
  let program: Recorded;
  beforeAll(async () => {
    program = await buffered();
  });

  it("has two encrypted queues that refuse requests without TLS, the second for dead letters", () => {
    expect(program.one(queueType, "registration-buffer-dead-letters").inputs).toEqual({
      messageRetentionSeconds: 14 * 86_400,
      sqsManagedSseEnabled: true,
    });
    const { redrivePolicy, ...queue } = program.one(queueType, "registration-buffer-queue").inputs;
    expect(queue).toEqual({
      visibilityTimeoutSeconds: 30,
      messageRetentionSeconds: 10 * 86_400,
      sqsManagedSseEnabled: true,
    });
    expect(parsed(redrivePolicy)).toEqual({ deadLetterTargetArn: deadLettersArn, maxReceiveCount: 240 });
    const allowed = program.one("aws:sqs/redriveAllowPolicy:RedriveAllowPolicy").inputs;
    expect(parsed(allowed.redriveAllowPolicy)).toEqual({ redrivePermission: "byQueue", sourceQueueArns: [queueArn] });
    const policies = program.all("aws:sqs/queuePolicy:QueuePolicy").map(({ inputs }) => inputs);
    expect(policies.map(({ queueUrl }) => queueUrl).toSorted()).toEqual([
      "registration-buffer-dead-letters-id",
      "registration-buffer-queue-id",
    ]);
    for (const { queueUrl, policy } of policies) {
      expect(parsed(policy).Statement).toEqual([
        {
          Sid: "OnlyTls",
          Effect: "Deny",
          Principal: "*",
          Action: "sqs:*",
          Resource: String(queueUrl).startsWith("registration-buffer-queue") ? queueArn : deadLettersArn,
          Condition: { Bool: { "aws:SecureTransport": "false" } },
        },
      ]);
    }
  });

  it("has a visibility time-out of six times the registration function's time-out", () => {
    const { timeout } = program.one(functionType, "register-user").inputs;
    const { visibilityTimeoutSeconds } = program.one(queueType, "registration-buffer-queue").inputs;
    expect(visibilityTimeoutSeconds).toBe(6 * Number(timeout));
  });

  it("lets Cognito call the queueing function after a confirmation, the registration function after a sign-in", () => {
    expect(program.one("aws:cognito/userPool:UserPool").inputs.lambdaConfig).toEqual({
      postConfirmation: arn("registration-buffer-enqueue"),
      postAuthentication: arn("register-user"),
    });
    const permissions = program.all("aws:lambda/permission:Permission").map(({ inputs }) => inputs);
    expect(permissions.map((inputs) => inputs.function)).toEqual(
      expect.arrayContaining(["registration-buffer-enqueue", "register-user"]),
    );
    for (const inputs of permissions) {
      expect(inputs).toMatchObject({ principal: "cognito-idp.amazonaws.com", sourceArn: arn("users") });
    }
  });

  it("gives the queueing function the queue's URL and the registration function's log, outside the VPC", async () => {
    const { code, ...inputs } = program.one(functionType, "registration-buffer-enqueue").inputs;
    expect(inputs).toMatchObject({
      timeout: 5,
      memorySize: 256,
      runtime: "nodejs24.x",
      architectures: ["arm64"],
      loggingConfig: program.one(functionType, "register-user").inputs.loggingConfig,
    });
    expect(inputs.vpcConfig).toBeUndefined();
    expect(Object.keys((inputs.environment as any).variables)).toEqual(["QueueUrl"]);
    const paths = Object.keys(await (code as any).assets);
    expect(paths.filter((path) => /node_modules\/(?!\.)/.test(path))).toEqual([]);
    expect(paths.some((path) => path.endsWith("enqueueUser.js"))).toBe(true);
    expect(mayDo(program, "registration-buffer-enqueue-role")).toEqual([
      ["WriteLog", ["logs:CreateLogStream", "logs:PutLogEvents"], `${arn("register-user-logs")}:*`],
      ["SendMessage", "sqs:SendMessage", queueArn],
    ]);
  });

  it("delivers batches to the registration function, with failures by message and limited concurrency", async () => {
    expect(program.one("aws:lambda/eventSourceMapping:EventSourceMapping").inputs).toEqual({
      eventSourceArn: queueArn,
      functionName: arn("register-user"),
      batchSize: 10,
      functionResponseTypes: ["ReportBatchItemFailures"],
      scalingConfig: { maximumConcurrency: 5 },
    });
    expect(mayDo(program, "register-user-role")).toContainEqual([
      "TakeMessages",
      ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
      queueArn,
    ]);
    const { batchesAtATime } = loadNatively<typeof buffers>("infra/users/RegistrationBuffer.ts");
    expect([0, 3, 4, 6, 40].map(batchesAtATime)).toEqual([5, 2, 3, 5, 5]);
    const reserved = await buffered({ reservedConcurrency: 3 });
    const { scalingConfig } = reserved.one("aws:lambda/eventSourceMapping:EventSourceMapping").inputs;
    expect(scalingConfig).toEqual({ maximumConcurrency: 2 });
  });

  it("rings an alarm for dead letters", async () => {
    expect(program.one("aws:cloudwatch/metricAlarm:MetricAlarm", "monitoring-dead-letters").inputs).toMatchObject({
      namespace: "AWS/SQS",
      metricName: "ApproximateNumberOfMessagesVisible",
      dimensions: { QueueName: "registration-buffer-dead-letters" },
    });
  });

  it.each([1, 2])("refuses a reserved concurrency of %i, too small for a queue and sign-ins", async (reserved) => {
    await expect(buffered({ reservedConcurrency: reserved })).rejects.toThrow(
      new RegExp(`registration.reservedConcurrency: got ${reserved}; allowed is 0, or at least 3`),
    );
  });
});
