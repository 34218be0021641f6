import type { ProgramContext } from "../config";
import type { Database } from "../database/Database";
import { rdsCaCerts } from "../database/rdsCaCerts";
import type { Network } from "../network/Network";
import { DatabaseSchema } from "./DatabaseSchema";

/**
 * Database, tables, user and grants on the server: by a function in the VPC, or, if the database is public, by the
 * machine that runs Pulumi.
 *
 * @param applySchema path of the bundle of `functions/applySchema` (`bundleFunctions`)
 */
export function createSchema(
  { region, settings, extraCaCerts, verifiedByBundle }: ProgramContext,
  { network, database }: { readonly network: Network; readonly database: Database },
  applySchema: string,
): DatabaseSchema {
  const isPublic = settings["database.access"] === "public";
  return new DatabaseSchema("schema", {
    server: database.server,
    serverId: database.resourceId,
    address: database.address,
    port: database.port,
    adminUsername: database.administrator.user,
    adminPassword: database.administrator.password,
    // The function adds the authorities of its own environment. Those of this machine are of no use in the VPC.
    authorities: rdsCaCerts(region, isPublic ? extraCaCerts : []),
    verifiedByBundle,
    rotated: settings["secret.rotationDays"] > 0,
    ...(isPublic
      ? {}
      : {
          viaLambda: {
            bundle: applySchema,
            subnetIds: network.privateSubnetIds,
            securityGroupId: network.functionSecurityGroupId,
            logRetentionDays: settings["logs.retentionDays"],
            dependsOn: network.databasePathDependencies,
          },
        }),
  });
}
