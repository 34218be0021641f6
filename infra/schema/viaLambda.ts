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
  /** What must stand before the function reaches the database, for example the security groups' rules. */
  readonly dependsOn?: pulumi.Input<pulumi.Resource>[];
}

/** What the function is told: an {@link ApplyEvent} whose parts may not be known yet. */
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
  readonly inside: ViaLambdaArgs;
  /** The instance or cluster: it must be there to be reached, and what is made goes with it. */
  readonly deletedWith: pulumi.Resource;
  /** {@link DatabaseServer.resourceId}: for another server the function is invoked again. */
  readonly serverId: pulumi.Input<string>;
}

/**
 * Lambda's longest. A change of a large table takes its time, and is cut off without a reason told where this ends
 * first; the next run then goes on where it stood.
 */
const timeoutSeconds = 900;

/**
 * A function in the VPC that makes database, tables and user of a private server, and its invocation by the program.
 *
 * The function itself holds nothing: no credentials, no rights beyond its log and its network interfaces, and nobody
 * but the deployer may invoke it. Server, administrator and files come by the invocation, whose input is a secret in
 * the state. It is invoked again whenever the input changes (lifecycle `CREATE_ONLY`: Pulumi shows a replacement, and
 * deleting the old invocation does nothing); the triggers repeat the files by name, so that a preview shows them.
 *
 * @see https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/lambda_invocation
 */
export function invokeApplySchema(
  name: string,
  args: SchemaViaLambdaArgs,
  parent: pulumi.Resource,
): aws.lambda.Invocation {
  const { server, database, files, user, inside, deletedWith, serverId } = args;
  const { sql, migrations, checksum, migrationChecksums } = files;
  const event = { server, database, sql, migrations, user } satisfies Record<keyof ApplyEvent, unknown>;
  const { applySchema, policy } = applyingFunction(`${name}-apply`, inside, parent);
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
      dependsOn: [policy, deletedWith, ...(inside.dependsOn ?? [])],
      deletedWith,
      replacementTrigger: serverId,
    },
  );
}

function applyingFunction(name: string, inside: ViaLambdaArgs, parent: pulumi.Resource) {
  const logs = new aws.cloudwatch.LogGroup(`${name}-logs`, { retentionInDays: inside.logRetentionDays }, { parent });
  const { role, policy } = functionRole(name, logs, [], parent);
  const applySchema = new aws.lambda.CallbackFunction<unknown, unknown>(
    name,
    {
      description: "Makes the database, its tables and the registration function's user",
      ...functionSettings(inside.bundle, logs.name),
      role,
      timeout: timeoutSeconds,
      memorySize: 256,
      vpcConfig: { subnetIds: inside.subnetIds, securityGroupIds: [inside.securityGroupId] },
    },
    { parent, dependsOn: [policy] },
  );
  return { applySchema, policy };
}
