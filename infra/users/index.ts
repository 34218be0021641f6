import * as pulumi from "@pulumi/pulumi";
import type { ProgramContext } from "../config";
import type { DatabaseAccess } from "../database";
import type { Network } from "../network/Network";
import type { DatabaseSchema } from "../schema/DatabaseSchema";
import { RegistrationBuffer } from "./RegistrationBuffer";
import { UserPool } from "./UserPool";
import { UserRegistration } from "./UserRegistration";

/** Paths of the bundles of the functions that Cognito calls (`bundleFunctions`). */
type Bundles = Readonly<Record<"registerUser" | "enqueueUser", string>>;

/** What {@link createUsers} needs of the other components. */
interface UsersArgs extends Pick<DatabaseAccess, "secret"> {
  readonly network: Network;
  readonly schema: DatabaseSchema;
}

/**
 * Sign-up and registration in the database: the registration function, the buffer if configured, and the user pool,
 * which may call both.
 */
export function createUsers(
  { region, settings }: ProgramContext,
  bundles: Bundles,
  { network, schema, secret }: UsersArgs,
) {
  // The pool's triggers need the functions, and the functions' permissions the pool.
  const [userPoolArn, resolveUserPoolArn] = pulumi.deferredOutput<string>();
  const registration = new UserRegistration("register-user", {
    bundle: bundles.registerUser,
    secretName: secret.secretName,
    secretArn: secret.arn,
    userPoolArn,
    subnetIds: network.privateSubnetIds,
    securityGroupId: network.functionSecurityGroupId,
    memoryMiB: settings["registration.memoryMiB"],
    reservedConcurrency: settings["registration.reservedConcurrency"],
    logRetentionDays: settings["logs.retentionDays"],
    dependsOn: [schema.grant, network.secretEndpoint],
  });
  const buffer = settings["registration.buffer"]
    ? new RegistrationBuffer("registration-buffer", {
        bundle: bundles.enqueueUser,
        registration,
        userPoolArn,
        reservedConcurrency: settings["registration.reservedConcurrency"],
        protect: settings["data.protect"],
      })
    : undefined;
  const users = new UserPool("users", {
    region,
    domainPrefix: settings.domainPrefix,
    callbackUrls: settings.callbackUrls,
    signOutUrls: settings.signOutUrls,
    separateWriters: settings["api.writers"] === "application",
    registration,
    buffer,
    protect: settings["data.protect"],
  });
  resolveUserPoolArn(users.arn);
  return { registration, buffer, users };
}
