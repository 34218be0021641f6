import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { PostConfirmationTriggerEvent } from "aws-lambda";
import { allowUserPool, functionRole } from "../lambda/functionRole";
import { functionSettings, triggerTimeoutSeconds } from "../lambda/functionSettings";

export interface RegistrationBufferArgs {
  /** Path of the bundle of `functions/enqueueUser` (`bundleFunctions`). */
  bundle: string;
  /** The function that processes the queue's messages: the registration function. */
  registration: {
    functionArn: pulumi.Input<string>;
    /** The function's role, with which Lambda receives the messages. */
    roleName: pulumi.Input<string>;
    /** The log group, to which the buffer's function also writes: metrics of the log count both. */
    logGroupName: pulumi.Input<string>;
    logGroupArn: pulumi.Input<string>;
  };
  /** The only user pool that may call the function that queues. Its trigger needs that function, so this is known later. */
  userPoolArn: pulumi.Input<string>;
  /** The registration function's reserved concurrency: 0 for none, otherwise at least 3. @default 0 */
  reservedConcurrency?: number;
  /** Pulumi's `protect` for the queues: refuse to delete them with their messages. @default true */
  protect?: boolean;
}

/** Six times the registration function's time-out (Lambda developer guide, "Using Lambda with Amazon SQS"). */
const visibilitySeconds = 6 * triggerTimeoutSeconds;
/**
 * With {@link visibilitySeconds} between two receives, a message goes to the dead-letter queue after two hours of
 * failures. An outage of the database is usually shorter.
 */
const maxReceives = 240;
const day = 24 * 60 * 60;
/**
 * A dead letter's age counts from when it was sent, so the dead-letter queue keeps messages for longer: a message
 * that was in the queue for nearly ten days (because the mapping was turned off) is kept there for four more.
 */
const retention = { queue: 10 * day, deadLetters: 14 * day };

/**
 * How many batches are processed at a time, each with a connection to the database. A batch of ten takes a few
 * hundredths of a second, so five are enough; if concurrency is reserved, one is kept for sign-ins. AWS's minimum is 2.
 *
 * @param reservedConcurrency 0 for none, otherwise at least 3
 */
export const batchesAtATime = (reservedConcurrency: number) =>
  reservedConcurrency === 0 ? 5 : Math.min(5, reservedConcurrency - 1);

/**
 * A queue between the confirmation and the database: Cognito calls a function that only sends the user to the queue,
 * and the registration function processes batches of messages. So a confirmation neither waits for the database nor
 * fails with it; the row is made a moment later, or when the database is available again. Sign-ins call the
 * registration function as without a buffer: they find the row in one statement, need no message for that, and make a
 * row that is still missing.
 *
 * Messages that failed {@link maxReceives} times go to the dead-letter queue, for which `Monitoring` has an alarm. To
 * turn the buffer off would delete the queues with their messages, so Pulumi refuses that while they are protected;
 * docs/runbook.md describes how to turn it off.
 */
export class RegistrationBuffer extends pulumi.ComponentResource {
  /** The function for the trigger after a confirmation. */
  readonly functionArn: pulumi.Output<string>;
  readonly functionName: pulumi.Output<string>;
  readonly queueUrl: pulumi.Output<string>;
  readonly queueName: pulumi.Output<string>;
  readonly deadLetterQueueName: pulumi.Output<string>;

  constructor(name: string, args: RegistrationBufferArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ecommerce:users:RegistrationBuffer", name, {}, opts);
    const { queue, deadLetters } = queues(name, args.protect ?? true, this);
    const enqueueUser = queueingFunction(name, args, queue, this);
    deliverToRegistration(name, args, queue, this);

    this.functionArn = enqueueUser.arn;
    this.functionName = enqueueUser.name;
    this.queueUrl = queue.id;
    this.queueName = queue.name;
    this.deadLetterQueueName = deadLetters.name;
    allowUserPool(name, this.functionName, args.userPoolArn, this);
    this.registerOutputs({ functionArn: this.functionArn, deadLetterQueueName: this.deadLetterQueueName });
  }
}

function queues(name: string, protect: boolean, parent: pulumi.Resource) {
  const deadLetters = new aws.sqs.Queue(
    `${name}-dead-letters`,
    { messageRetentionSeconds: retention.deadLetters, sqsManagedSseEnabled: true },
    { parent, protect },
  );
  const queue = new aws.sqs.Queue(
    `${name}-queue`,
    {
      visibilityTimeoutSeconds: visibilitySeconds,
      messageRetentionSeconds: retention.queue,
      sqsManagedSseEnabled: true,
      redrivePolicy: pulumi.jsonStringify({ deadLetterTargetArn: deadLetters.arn, maxReceiveCount: maxReceives }),
    },
    { parent, protect },
  );
  new aws.sqs.RedriveAllowPolicy(
    `${name}-dead-letters-source`,
    {
      queueUrl: deadLetters.id,
      redriveAllowPolicy: pulumi.jsonStringify({ redrivePermission: "byQueue", sourceQueueArns: [queue.arn] }),
    },
    { parent },
  );
  onlyTls(`${name}-queue-policy`, queue, parent);
  onlyTls(`${name}-dead-letters-policy`, deadLetters, parent);
  return { queue, deadLetters };
}

function onlyTls(name: string, queue: aws.sqs.Queue, parent: pulumi.Resource): void {
  const policy = pulumi.jsonStringify({
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "OnlyTls",
        Effect: "Deny",
        Principal: "*",
        Action: "sqs:*",
        Resource: queue.arn,
        Condition: { Bool: { "aws:SecureTransport": "false" } },
      },
    ],
  });
  new aws.sqs.QueuePolicy(name, { queueUrl: queue.id, policy }, { parent });
}

/** The buffer's function, outside of the VPC: it does not use the database, and the VPC needs no endpoint of SQS. */
function queueingFunction(name: string, args: RegistrationBufferArgs, queue: aws.sqs.Queue, parent: pulumi.Resource) {
  const send = { Sid: "SendMessage", Action: "sqs:SendMessage", Resource: queue.arn };
  const logs = { arn: args.registration.logGroupArn };
  const { role, policy } = functionRole(`${name}-enqueue`, logs, [send], parent, { inVpc: false });
  return new aws.lambda.CallbackFunction<PostConfirmationTriggerEvent, PostConfirmationTriggerEvent>(
    `${name}-enqueue`,
    {
      description: "Puts confirmed users into the queue from which they are registered",
      ...functionSettings(args.bundle, args.registration.logGroupName),
      role,
      timeout: triggerTimeoutSeconds,
      memorySize: 256,
      environment: { variables: { QueueUrl: queue.id } },
    },
    { parent, dependsOn: [policy] },
  );
}

function deliverToRegistration(
  name: string,
  { registration, reservedConcurrency = 0 }: RegistrationBufferArgs,
  queue: aws.sqs.Queue,
  parent: pulumi.Resource,
): void {
  const take = new aws.iam.RolePolicy(
    `${name}-take`,
    {
      role: registration.roleName,
      policy: {
        Version: "2012-10-17",
        Statement: [
          {
            Sid: "TakeMessages",
            Effect: "Allow",
            Action: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
            Resource: queue.arn,
          },
        ],
      },
    },
    { parent },
  );
  new aws.lambda.EventSourceMapping(
    `${name}-delivery`,
    {
      eventSourceArn: queue.arn,
      functionName: registration.functionArn,
      batchSize: 10,
      // Otherwise a batch with one failed user would be processed again as a whole.
      functionResponseTypes: ["ReportBatchItemFailures"],
      scalingConfig: { maximumConcurrency: batchesAtATime(reservedConcurrency) },
    },
    { parent, dependsOn: [take] },
  );
}
