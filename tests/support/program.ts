/** Evaluates the whole program with Pulumi mocks that record the resources that it registers. */

import type * as host from "../../host/program";
import type { CreateResult, ResourceRegistration } from "../../host/resources";
import { stackConfig } from "../../host/stackConfig";
import { loadNatively, projectRoot } from "./native";
import { withoutStackTraces } from "./stackTraces";

/** The smallest valid configuration with a public database; everything else has its default. */
export const devConfig: Readonly<Record<string, string>> = {
  "aws:region": "us-east-1",
  "ecommerce:callbackUrls": '["http://localhost:3000/"]',
  "ecommerce:signOutUrls": '["http://localhost:3000/"]',
  "ecommerce:domainPrefix": "ecommerce-jlrg",
  "ecommerce:bucketName": "ecommerce-app-jlrg",
  "ecommerce:database": '{"access":"public","deployerCidrs":["192.0.2.0/24"]}',
};

export interface Recorded {
  readonly resources: readonly ResourceRegistration[];
  readonly outputs: Record<string, unknown>;
  /** The only resource of the type, or of the type and name; throws if there are none or several. */
  one(type: string, name?: string): ResourceRegistration;
  all(type: string): ResourceRegistration[];
}

/** Type → outputs besides the inputs that AWS would compute, as far as the program reads them. */
const computedOutputs: Record<string, (resource: ResourceRegistration) => Record<string, unknown>> = {
  "aws:rds/instance:Instance": () => ({
    address: "database.example.com",
    port: 3306,
    identifier: "database-1",
    resourceId: "db-1",
  }),
  "aws:rds/cluster:Cluster": () => ({
    endpoint: "cluster.example.com",
    port: 3306,
    clusterIdentifier: "cluster-1",
    clusterResourceId: "cluster-resource-1",
  }),
  "aws:rds/clusterInstance:ClusterInstance": ({ name }) => ({ identifier: `${name}-1` }),
  "aws:rds/proxy:Proxy": () => ({ endpoint: "proxy.example.com" }),
  // On AWS the instance's own port, and maybe 0 for a cluster; here another port, so that a test can distinguish the
  // two.
  "aws:rds/proxyTarget:ProxyTarget": ({ inputs }) => ({ port: inputs.dbClusterIdentifier === undefined ? 3307 : 0 }),
  "aws:s3/bucket:Bucket": ({ inputs }) => ({ bucketRegionalDomainName: `${inputs.bucket}.s3.us-east-1.amazonaws.com` }),
  "aws:apigateway/restApi:RestApi": () => ({ rootResourceId: "root" }),
  "aws:apigateway/stage:Stage": ({ inputs }) => ({ invokeUrl: `https://api.example.com/${inputs.stageName}` }),
  "aws:secretsmanager/secretVersion:SecretVersion": () => ({ versionId: "1" }),
  "random:index/randomPassword:RandomPassword": ({ name }) => ({ result: `password-of-${name}` }),
};

/** The ARN of a resource in these tests: with a kind before the name, as in most of AWS's ARNs. */
export const arnOf = (resource: Pick<ResourceRegistration, "name">) =>
  `arn:aws:test:us-east-1:000000000000:one:${resource.name}`;
/** The identifier of a resource in these tests. */
export const idOf = (resource: Pick<ResourceRegistration, "name">) => `${resource.name}-id`;

/** The identifier and outputs that the mocks return for a registered resource. */
export function createResultOf(resource: ResourceRegistration): CreateResult {
  const named = { arn: arnOf(resource), name: resource.inputs.name ?? resource.name };
  return { id: idOf(resource), outputs: { ...named, ...computedOutputs[resource.type]?.(resource) } };
}

/**
 * @param values configuration that overrides the stack's, with Pulumi's keys; `ecommerce:database.kind` sets one field
 *   of `ecommerce:database`, `ecommerce:database` sets all of them; undefined removes a key
 * @param stack the stack whose file `Pulumi.<stack>.yaml` is loaded; without it the stack is dev, with `devConfig`
 * @throws the errors of the program
 */
export async function recordProgram(
  values: Readonly<Record<string, string | undefined>> = {},
  stack?: string,
): Promise<Recorded> {
  const { evaluate } = loadNatively<typeof host>("host/program.ts");
  const resources: ResourceRegistration[] = [];
  const base = stack === undefined ? devConfig : stackConfig(projectRoot, stack);
  const config = Object.fromEntries(
    Object.entries({ ...base, ...values }).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const { outputs } = await withoutStackTraces(() =>
    evaluate({
      stack: stack ?? "dev",
      values: config,
      make: async (resource) => {
        resources.push(resource);
        return createResultOf(resource);
      },
    }),
  );
  return recorded(resources, outputs);
}

/** Wraps the registered resources so that tests can look them up. */
export function recorded(resources: readonly ResourceRegistration[], outputs: Record<string, unknown>): Recorded {
  const all = (type: string) => resources.filter((resource) => resource.type === type);
  return {
    resources,
    outputs,
    all,
    one(type, name) {
      const found = all(type).filter((resource) => name === undefined || resource.name === name);
      if (found.length !== 1) {
        const names = all(type).map((resource) => resource.name);
        throw new Error(
          `Expected one ${type}${name ? ` called ${name}` : ""}; there are: ${names.join(", ") || "none"}`,
        );
      }
      return found[0]!;
    },
  };
}
