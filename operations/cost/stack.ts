import type * as program from "../../host/program";
import type { ResourceRegistration } from "../../host/resources";
import { stackConfig } from "../../host/stackConfig";

export interface EvaluatedStack {
  readonly region: string;
  readonly resources: readonly ResourceRegistration[];
}

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
 * @param root the project's folder, with `Pulumi.<stack>.yaml`
 * @param overrides `KEY=VALUE` over the stack's configuration
 * @throws CommandError where the stack's file is missing or cannot be used; the program's own ConfigError
 */
export async function evaluateStack(
  root: string,
  stack: string,
  overrides: readonly string[] = [],
): Promise<EvaluatedStack> {
  const values = stackConfig(root, stack, overrides);
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
  return { region, resources };
}
