import type { Surroundings } from "../config";
import type { DatabaseParts } from "../database";
import { RegistrationBuffer } from "./RegistrationBuffer";
import { UserPool } from "./UserPool";
import { UserRegistration } from "./UserRegistration";

/** Paths of the bundles of the functions that Cognito calls (`bundleFunctions`). */
type Bundles = Readonly<Record<"registerUser" | "enqueueUser", string>>;

/**
 * Who signs up, and how they come into the database: the registration function, the buffer before it where the
 * configuration wants one, and the user pool, which may call both.
 */
export function userParts(
  { region, settings }: Surroundings,
  bundles: Bundles,
  { network, schema, secret }: Pick<DatabaseParts, "network" | "schema" | "secret">,
) {
  const registration = new UserRegistration("register-user", {
    bundle: bundles.registerUser,
    secretName: secret.secretName,
    secretArn: secret.arn,
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
  registration.allow(users.arn);
  buffer?.allow(users.arn);
  return { registration, buffer, users };
}
