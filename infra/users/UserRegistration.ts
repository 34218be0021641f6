import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { PostAuthenticationTriggerEvent, PostConfirmationTriggerEvent } from "aws-lambda";
import { allowUserPool, functionRole } from "../lambda/functionRole";
import { functionSettings, triggerTimeoutSeconds } from "../lambda/functionSettings";

export interface UserRegistrationArgs {
  /** Path of the bundle of `functions/registerUser` (`bundleFunctions`). */
  bundle: string;
  /** Name of the secret, passed to the function as `SecretName`. */
  secretName: pulumi.Input<string>;
  /** ARN of the secret: the only one that the function may read. */
  secretArn: pulumi.Input<string>;
  /** The only user pool that may call the function (S6). Its trigger needs the function, so this is known later. */
  userPoolArn: pulumi.Input<string>;
  /** Subnets from which the function reaches the database and the secret's endpoint. */
  subnetIds: pulumi.Input<pulumi.Input<string>[]>;
  securityGroupId: pulumi.Input<string>;
  /**
   * Memory in MiB; CPU grows with it: with 512 a cold start is half as long as with 256, at the same cost. @default 512
   */
  memoryMiB?: number;
  /** How many invocations may run at once, each with one connection; 0 reserves nothing. @default 0 */
  reservedConcurrency?: number;
  /** Days that logs are kept. @default 30 */
  logRetentionDays?: number;
  /** What must exist before the first invocation, for example the table and the secret's endpoint. */
  dependsOn?: pulumi.Input<pulumi.Resource>[];
}

type TriggerEvent = PostConfirmationTriggerEvent | PostAuthenticationTriggerEvent;

/**
 * The function that registers confirmed people in MySQL (S5), with its own role, its log group, and the permission for
 * the user pool to call it (S6). The code is `functions/registerUser`, bundled into the archive of an
 * `aws.lambda.CallbackFunction`; its factory runs once per container, which keeps connection and secret.
 */
export class UserRegistration extends pulumi.ComponentResource {
  readonly functionArn: pulumi.Output<string>;
  readonly functionName: pulumi.Output<string>;
  readonly roleName: pulumi.Output<string>;
  readonly logGroupName: pulumi.Output<string>;
  readonly logGroupArn: pulumi.Output<string>;

  constructor(name: string, args: UserRegistrationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ecommerce:users:UserRegistration", name, {}, opts);
    const logs = new aws.cloudwatch.LogGroup(
      `${name}-logs`,
      { retentionInDays: args.logRetentionDays ?? 30 },
      { parent: this },
    );
    const readSecret = { Sid: "ReadSecret", Action: "secretsmanager:GetSecretValue", Resource: args.secretArn };
    const { role, policy } = functionRole(name, logs, [readSecret], this);

    const registerUser = new aws.lambda.CallbackFunction<TriggerEvent, TriggerEvent>(
      name,
      {
        description: "Registers confirmed users in MySQL",
        ...functionSettings(args.bundle, logs.name),
        role,
        timeout: triggerTimeoutSeconds,
        memorySize: args.memoryMiB ?? 512,
        reservedConcurrentExecutions: args.reservedConcurrency || -1,
        environment: { variables: { SecretName: args.secretName } },
        vpcConfig: { subnetIds: args.subnetIds, securityGroupIds: [args.securityGroupId] },
      },
      { parent: this, dependsOn: [policy, ...(args.dependsOn ?? [])] },
    );

    this.functionArn = registerUser.arn;
    this.functionName = registerUser.name;
    this.roleName = role.name;
    this.logGroupName = logs.name;
    this.logGroupArn = logs.arn;
    allowUserPool(name, this.functionName, args.userPoolArn, this);
    this.registerOutputs({ functionArn: this.functionArn, functionName: this.functionName });
  }
}
