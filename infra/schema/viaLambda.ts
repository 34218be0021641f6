import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { ApplyEvent } from "../../schema/plan";
import type { DatabaseServer } from "../database/databaseTypes";
import { functionRole } from "../lambda/functionRole";
import { functionSettings } from "../lambda/functionSettings";
import type { CheckedFiles } from "./checkedFiles";

/** Where the function that makes the schema runs. */
export interface ViaLambdaArgs {
  /** Path of the bundle of `functions/applySchema` (`bundleFunctions`). */
  readonly bundle: string;
  /** Subnets from which the database is reached. */
  readonly subnetIds: pulumi.Input<pulumi.Input<string>[]>;
  /** Security group of the function; the database lets it in. */
  readonly securityGroupId: pulumi.Input<string>;
  /** Days that logs are kept. */
  readonly logRetentionDays: number;
  /** What must exist before the function reaches the database, for example the security groups' rules. */
  readonly dependsOn?: pulumi.Input<pulumi.Resource>[];
}

/** The function's event, an {@link ApplyEvent} with Pulumi inputs, and its environment. */
export interface SchemaViaLambdaArgs {
  readonly server: {
    readonly host: pulumi.Input<string>;
    readonly port: pulumi.Input<number>;
    readonly user: pulumi.Input<string>;
    readonly password: pulumi.Input<string>;
    readonly authorities: pulumi.Input<string>;
  };
  readonly database: pulumi.Input<string>;
  readonly files: CheckedFiles;
  readonly user: {
    readonly name: pulumi.Input<string>;
    readonly password: pulumi.Input<string>;
    readonly privileges: pulumi.Input<string>[];
    readonly rotated: boolean;
  };
  readonly viaLambda: ViaLambdaArgs;
  /** The instance or cluster: it must exist first, and its deletion deletes what the function makes. */
  readonly deletedWith: pulumi.Resource;
  /** {@link DatabaseServer.resourceId}: for another server the function is invoked again. */
  readonly serverId: pulumi.Input<string>;
}

/**
 * Lambda's maximum. A change of a large table that takes longer is cut off without an error message; the next run
 * continues where this one stopped.
 */
const timeoutSeconds = 900;

/**
 * A function in the VPC that makes database, tables and user of a private server, and its invocation by the program.
 *
 * The function itself has no credentials and no rights beyond its log and its network interfaces, and only the deployer
 * may invoke it. Server, administrator and files are in the event of the invocation, whose input is a secret in the
 * state. It is invoked again whenever the input changes (lifecycle `CREATE_ONLY`: Pulumi shows a replacement, and
 * deleting the old invocation does nothing); the triggers repeat the files by name, so that a preview shows them.
 *
 * @see https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/lambda_invocation
 */
export function invokeApplySchema(
  name: string,
  args: SchemaViaLambdaArgs,
  parent: pulumi.Resource,
): aws.lambda.Invocation {
  const { server, database, files, user, viaLambda, deletedWith, serverId } = args;
  const { sql, migrations, checksum, migrationChecksums } = files;
  const event = { server, database, sql, migrations, user } satisfies Record<keyof ApplyEvent, unknown>;
  const { applySchema, policy } = applySchemaFunction(`${name}-apply`, viaLambda, parent);
  return new aws.lambda.Invocation(
    `${name}-applied`,
    {
      functionName: applySchema.name,
      input: pulumi.secret(pulumi.jsonStringify(event)),
      triggers: { "ecommerceSchema.sql": checksum, ...migrationChecksums },
      lifecycleScope: "CREATE_ONLY",
    },
    {
      parent,
      dependsOn: [policy, deletedWith, ...(viaLambda.dependsOn ?? [])],
      deletedWith,
      replacementTrigger: serverId,
    },
  );
}

function applySchemaFunction(name: string, viaLambda: ViaLambdaArgs, parent: pulumi.Resource) {
  const logs = new aws.cloudwatch.LogGroup(`${name}-logs`, { retentionInDays: viaLambda.logRetentionDays }, { parent });
  const { role, policy } = functionRole(name, logs, [], parent);
  const applySchema = new aws.lambda.CallbackFunction<unknown, unknown>(
    name,
    {
      description: "Makes the database, its tables and the registration function's user",
      ...functionSettings(viaLambda.bundle, logs.name),
      role,
      timeout: timeoutSeconds,
      memorySize: 256,
      vpcConfig: { subnetIds: viaLambda.subnetIds, securityGroupIds: [viaLambda.securityGroupId] },
    },
    { parent, dependsOn: [policy] },
  );
  return { applySchema, policy };
}
