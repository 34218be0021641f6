import { evaluate } from "../../host/program";
import type { ResourceRegistration } from "../../host/resources";
import { stackConfig } from "../../host/stackConfig";

export interface EvaluatedStack {
  readonly region: string;
  readonly resources: readonly ResourceRegistration[];
}

/** What AWS would answer, of which the program reads some; which value it is changes no price. */
const answers = {
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
 * Evaluates the program for a stack in this process. Nothing is deployed and nobody is asked.
 *
 * @param root the project's folder, with `Pulumi.<stack>.yaml`
 * @param overrides `KEY=VALUE` over the stack's configuration
 * @throws CommandError where the stack has no file, or one that cannot be used; the program's own ConfigError
 */
export async function evaluateStack(
  root: string,
  stack: string,
  overrides: readonly string[] = [],
): Promise<EvaluatedStack> {
  const values = stackConfig(root, stack, overrides);
  const region = values["aws:region"] ?? "";
  const resources: ResourceRegistration[] = [];
  await evaluate({
    stack,
    values,
    make: async (resource) => {
      resources.push(resource);
      const { name, inputs } = resource;
      const service = resource.type.split(/[:/]/)[1];
      // The logical name ends the ARN: that is how a trigger is traced to its function.
      const arn = `arn:aws:${service}:${region}:000000000000:${name}`;
      return { id: name, outputs: { ...answers, arn, name, ...inputs } };
    },
  });
  return { region, resources };
}
