import Module from "node:module";
import { join } from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import { type CreateResult, provisioningError, type ResourceRegistration } from "./resources";

/**
 * Creates a dynamic resource as the engine does: the provider arrives as source text, and this function runs that code.
 * `create` runs on each start; the providers of this project create only what is missing.
 */
export async function createDynamicResource(resource: ResourceRegistration): Promise<CreateResult> {
  const { __provider: source, ...rest } = resource.inputs;
  const provider = load(String(source));
  const checked = await provider.check?.({}, rest);
  const failures = checked?.failures ?? [];
  if (failures.length > 0) {
    throw provisioningError(resource, failures.map(({ property, reason }) => `${property}: ${reason}`).join("; "));
  }
  const { id, outs } = await provider.create(checked?.inputs ?? rest);
  return { id, outputs: outs ?? {} };
}

function load(source: string): pulumi.dynamic.ResourceProvider {
  // A path below the project's folder, so that the code finds the project's packages.
  const file = join(__dirname, "dynamic-provider.js");
  const module = new Module(file) as Module & { _compile(code: string, filename: string): void };
  module.filename = file;
  module.paths = (Module as unknown as { _nodeModulePaths(from: string): string[] })._nodeModulePaths(__dirname);
  module._compile(source, file);
  return (module.exports as { handler(): pulumi.dynamic.ResourceProvider }).handler();
}
