/** The registration of each resource as the engine gets it: its URN, inputs, options and aliases. */
import type { CustomResourceOptions, Inputs, Resource, ResourceTransformation } from "@pulumi/pulumi";
import type * as host from "../../host/program";
import { stackConfig } from "../../host/stackConfig";
import { unwrapSecrets } from "../../host/unwrapSecrets";
import { loadNatively, projectRoot } from "./native";
import { createResultOf } from "./program";
import { withoutStackTraces } from "./stackTraces";

export interface Registration {
  /**
   * As the engine composes it: the types of all parents except the stack, then the resource's own type and its name.
   */
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  /** Resolved; secrets unwrapped. Empty for a component. */
  readonly inputs: Record<string, unknown>;
  readonly options: CustomResourceOptions;
  /** Other URNs by which the engine finds it in the state. */
  readonly aliases: readonly string[];
}

/**
 * Evaluates the program with a stack's own file.
 *
 * @param values configuration that overrides the file's, keys as for `recordProgram`
 * @throws the errors of the program
 */
export async function registrations(
  stack: string,
  values: Readonly<Record<string, string>> = {},
): Promise<Registration[]> {
  const { preload } = loadNatively<typeof host>("host/program.ts");
  return registrationsOf(stack, { ...stackConfig(projectRoot, stack), ...values }, preload());
}

/** Does the same for any program. */
export async function registrationsOf(
  stack: string,
  values: Readonly<Record<string, string>>,
  program: () => Promise<Inputs>,
): Promise<Registration[]> {
  const pulumi = loadNatively<typeof import("@pulumi/pulumi")>("node_modules/@pulumi/pulumi");
  const inputs = new Map<string, Record<string, unknown>>();
  const found = new Map<string, Omit<Registration, "inputs">>();
  const watch: ResourceTransformation = ({ type, name, opts }) => {
    const options = opts as CustomResourceOptions;
    const chain = [...parentsOf(options.parent), type];
    const urn = urnOf(stack, chain, name);
    if (found.has(urn)) throw new Error(`Two resources have the URN ${urn}; the engine refuses that.`);
    found.set(urn, { urn, type, name, options, aliases: aliasesOf(stack, { type, name, options }) });
    return undefined;
  };
  pulumi.runtime.setAllConfig({ ...values });
  await pulumi.runtime.setMocks(
    {
      call: () => ({ names: ["us-east-1a", "us-east-1b"], zoneIds: ["use1-az1", "use1-az2"] }),
      newResource: (args) => {
        const registered = { ...args, inputs: unwrapSecrets(args.inputs) as Record<string, unknown> };
        inputs.set(`${args.type} ${args.name}`, registered.inputs);
        const { id, outputs } = createResultOf(registered);
        return { id, state: { ...registered.inputs, ...outputs } };
      },
    },
    "ecommerce",
    stack,
    false,
  );
  const { inProgramFolder } = loadNatively<typeof host>("host/program.ts");
  await withoutStackTraces(() =>
    inProgramFolder(async () => {
      await pulumi.runtime.runInPulumiStack(async () => {
        pulumi.runtime.registerStackTransformation(watch);
        return program();
      });
      await pulumi.runtime.disconnect();
    }),
  );
  return [...found.values()].map((one) => ({ ...one, inputs: inputs.get(`${one.type} ${one.name}`) ?? {} }));
}

const typeOf = (resource: Resource) => (resource as unknown as { __pulumiType: string }).__pulumiType;

/** Types of a resource's parents, the outermost first, without the stack's type. */
function parentsOf(parent: Resource | undefined): string[] {
  if (parent === undefined || typeOf(parent) === "pulumi:pulumi:Stack") return [];
  const above = (parent as unknown as { __parentResource?: Resource }).__parentResource;
  return [...parentsOf(above), typeOf(parent)];
}

const urnOf = (stack: string, chain: readonly string[], name: string) =>
  `urn:pulumi:${stack}::ecommerce::${chain.join("$")}::${name}`;

function aliasesOf(stack: string, { type, name, options }: Pick<Registration, "type" | "name" | "options">): string[] {
  return (options.aliases ?? []).map((alias) => {
    if (typeof alias === "string") return alias;
    const former = alias as { name?: string; type?: string; parent?: Resource };
    const parents = parentsOf("parent" in former ? former.parent : options.parent);
    return urnOf(stack, [...parents, former.type ?? type], former.name ?? name);
  });
}
