import type * as program from "../../host/program";
import type { ResourceRegistration } from "../../host/resources";

/** Outputs that AWS would set and that the program reads. Their values do not affect prices. */
const awsOutputs = {
  address: "database.invalid",
  endpoint: "database.invalid",
  readerEndpoint: "database.invalid",
  port: 3306,
  identifier: "database",
  clusterIdentifier: "database",
  resourceId: "db-1",
  clusterResourceId: "cluster-1",
  rootResourceId: "root",
  invokeUrl: "https://api.invalid",
  bucketRegionalDomainName: "bucket.invalid",
  versionId: "1",
  result: "{}",
};

/**
 * Evaluates the program for a stack in this process. Deploys nothing and sends no requests.
 *
 * @param values the stack's configuration, as `stackConfig` returns it
 * @returns the resources that the program registers
 * @throws the program's own ConfigError
 */
export async function evaluateStack(
  stack: string,
  values: Readonly<Record<string, string>>,
): Promise<readonly ResourceRegistration[]> {
  const region = values["aws:region"] ?? "";
  const resources: ResourceRegistration[] = [];
  // Loaded only now: Pulumi takes a second to load, and a wrong stack or value is reported without it.
  const { evaluate } = require("../../host/program") as typeof program;
  await evaluate({
    stack,
    values,
    make: async (resource) => {
      resources.push(resource);
      const { name, inputs } = resource;
      const service = resource.type.split(/[:/]/)[1];
      // The ARN ends with the logical name: thousandSignUps finds the function of a trigger by it.
      const arn = `arn:aws:${service}:${region}:000000000000:${name}`;
      return { id: name, outputs: { ...awsOutputs, arn, name, ...inputs } };
    },
  });
  return resources;
}
