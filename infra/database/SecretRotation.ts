import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { functionRole } from "../lambda/functionRole";
import { functionSettings } from "../lambda/functionSettings";
import { accountOf } from "../names";
import type { DatabaseSecretValue } from "./DatabaseSecret";

export interface SecretRotationArgs {
  /** Path of the bundle of `functions/rotateSecret` (`bundleFunctions`). */
  bundle: string;
  /** ARN of the secret, with a value: the only one that the function may read and change. */
  secretArn: pulumi.Input<string>;
  /**
   * ID of the secret's version that the program wrote. A new version has the first password again, so a change rotates
   * at once.
   */
  firstVersion: pulumi.Input<string>;
  /** Days between two rotations, 1 to 1000. A change rotates at once. */
  everyDays: number;
  /** Address of the database itself: a proxy accepts the current password only, a rotation needs two. */
  database: { readonly host: pulumi.Input<string>; readonly port: pulumi.Input<number> };
  /** The address in the secret: the database's, or a proxy's. A change rotates at once. */
  endpoint: Pick<DatabaseSecretValue, "host" | "port" | "dbClusterIdentifier">;
  /** Subnets from which the function reaches the database and the secret's endpoint. */
  subnetIds: pulumi.Input<pulumi.Input<string>[]>;
  securityGroupId: pulumi.Input<string>;
  /** Days that logs are kept. @default 30 */
  logRetentionDays?: number;
  /** What must exist before the first rotation: the user with its two passwords, and the secret's endpoint. */
  dependsOn?: pulumi.Input<pulumi.Resource>[];
}

/**
 * A step takes less than a second; this leaves time for a slow database and for changes that Secrets Manager shows
 * late.
 */
const timeoutSeconds = 30;

/**
 * Changes the password of the function's database user every `everyDays` days, the first time at once. From the second
 * rotation on the password in Pulumi's state is no longer valid; only Secrets Manager has the valid ones.
 *
 * One user with two passwords, by MySQL's dual passwords. The two strategies that AWS documents have disadvantages
 * (https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotation-strategy.html):
 * - *Single user*, as in AWS's template: for a moment MySQL accepts only the new password while the secret still has
 *   the old one. A function that connects in this moment fails, and with it a sign-up.
 * - *Alternating users* has no such moment, but needs a second user, and a function that may read an administrator's
 *   secret.
 *
 * Here the user itself adds the new password and keeps the old one until the next rotation: Secrets Manager is
 * eventually consistent, and a reader that still gets the old password can connect with it. A function that kept an
 * older password is refused, reads the secret again and continues. Beside its own rights the user needs
 * APPLICATION_PASSWORD_ADMIN, which does not apply to other accounts (`DatabaseSchema`, `rotated`).
 *
 * The program's own password is the first one only: user and secret ignore changes of it (`rotated`), so that another
 * `pulumi up` undoes nothing. Each rotation writes the secret's other keys with the program's current values. So the
 * deployment rotates at once if the database's address changes, if a proxy is added or removed, and if it had to write
 * the first value again. When rotation is turned off, the program generates a new password and sets it, first in MySQL
 * and then in the secret: for the second or two in between, new connections are refused.
 */
export class SecretRotation extends pulumi.ComponentResource {
  readonly functionName: pulumi.Output<string>;
  readonly logGroupName: pulumi.Output<string>;

  constructor(name: string, args: SecretRotationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ecommerce:database:SecretRotation", name, {}, opts);
    const logs = new aws.cloudwatch.LogGroup(
      `${name}-logs`,
      { retentionInDays: args.logRetentionDays ?? 30 },
      { parent: this },
    );
    const rotateSecret = rotationFunction(name, args, logs, this);
    const permission = new aws.lambda.Permission(
      `${name}-from-secrets`,
      {
        action: "lambda:InvokeFunction",
        function: rotateSecret.name,
        principal: "secretsmanager.amazonaws.com",
        sourceArn: args.secretArn,
        sourceAccount: pulumi.output(args.secretArn).apply(accountOf),
      },
      { parent: this },
    );
    new aws.secretsmanager.SecretRotation(
      name,
      {
        secretId: args.secretArn,
        rotationLambdaArn: rotateSecret.arn,
        rotationRules: { automaticallyAfterDays: args.everyDays },
      },
      {
        parent: this,
        dependsOn: [permission, ...(args.dependsOn ?? [])],
        // To turn rotation on starts one at once; on AWS this is the only way to rotate by a deployment. The old
        // resource is deleted first, because deleting it turns rotation off.
        replacementTrigger: pulumi.interpolate`${args.endpoint.host}:${args.endpoint.port} ${args.firstVersion}`,
        deleteBeforeReplace: true,
      },
    );

    this.functionName = rotateSecret.name;
    this.logGroupName = logs.name;
    this.registerOutputs({ functionName: this.functionName });
  }
}

function rotationFunction(
  name: string,
  args: SecretRotationArgs,
  logs: aws.cloudwatch.LogGroup,
  parent: pulumi.Resource,
): aws.lambda.CallbackFunction<unknown, void> {
  const rotateThis = {
    Sid: "RotateSecret",
    Action: [
      "secretsmanager:DescribeSecret",
      "secretsmanager:GetSecretValue",
      "secretsmanager:PutSecretValue",
      "secretsmanager:UpdateSecretVersionStage",
    ],
    Resource: args.secretArn,
  };
  const { role, policy } = functionRole(name, logs, [rotateThis], parent);
  return new aws.lambda.CallbackFunction<unknown, void>(
    name,
    {
      description: "Rotates the password of the registration function's database user",
      ...functionSettings(args.bundle, logs.name),
      role,
      timeout: timeoutSeconds,
      memorySize: 256,
      environment: {
        variables: {
          DatabaseHost: args.database.host,
          DatabasePort: pulumi.interpolate`${args.database.port}`,
          SecretHost: args.endpoint.host,
          SecretPort: pulumi.interpolate`${args.endpoint.port}`,
          SecretClusterIdentifier: args.endpoint.dbClusterIdentifier,
        },
      },
      vpcConfig: { subnetIds: args.subnetIds, securityGroupIds: [args.securityGroupId] },
    },
    { parent, dependsOn: [policy] },
  );
}
