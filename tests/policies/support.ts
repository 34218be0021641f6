/** Runs the policy pack without the engine: on single resources, and on all that the program registers. */
import type { ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy";
import { vi } from "vitest";
import type { ResourceRegistration } from "../../host/resources";
import { stackConfig } from "../../host/stackConfig";
import { policiesFor } from "../../policies/pack";
import { loadNatively, projectRoot } from "../support/native";
import { recordProgram } from "../support/program";

/** A resource as the policy SDK passes it to a policy. */
export interface Seen {
  readonly type: string;
  readonly name: string;
  readonly props: Record<string, any>;
  readonly opts: { readonly protect: boolean };
  readonly provider?: { readonly props: Record<string, unknown> };
}

export interface Violation {
  readonly policy: string;
  readonly level: string | undefined;
  /** Logical name; the stack's own policies name no resource. */
  readonly resource?: string;
  readonly message: string;
}

/** The pack's violations for these resources of a stack, in the order of its rules. */
export function judge(resources: readonly Seen[], stack: string): Violation[] {
  const violations: Violation[] = [];
  for (const policy of policiesFor({ project: "ecommerce", stack })) {
    const { name, enforcementLevel: level } = policy;
    if (level === "disabled") continue;
    const note = (resource?: string) => (message: string) =>
      violations.push({ policy: name, level, message, ...(resource === undefined ? {} : { resource }) });
    if ("validateStack" in policy) {
      (policy as StackValidationPolicy).validateStack({ resources } as any, note());
      continue;
    }
    const { validateResource } = policy as ResourceValidationPolicy;
    for (const resource of resources) (validateResource as any)(resource, note(resource.name));
  }
  return violations;
}

/** The violations that stop a deployment, as `rule: resource`. */
export const refused = (violations: readonly Violation[]) =>
  violations.filter(({ level }) => level === "mandatory").map(({ policy, resource }) => `${policy}: ${resource}`);

/**
 * The program's resources for a stack, as the engine passes them to the pack.
 *
 * @param settings `KEY=VALUE` over the stack's file, as `npm start -- --set` takes them
 */
export function registeredBy(stack: string, settings: readonly string[] = []): Promise<readonly Seen[]> {
  const key = JSON.stringify([stack, settings]);
  const resources = evaluated.get(key) ?? evaluate(stack, settings);
  evaluated.set(key, resources);
  return resources;
}

const evaluated = new Map<string, Promise<readonly Seen[]>>();

async function evaluate(stack: string, settings: readonly string[]): Promise<readonly Seen[]> {
  const values = stackConfig(projectRoot, stack, settings);
  // Pulumi's mocks receive `protect` but do not pass it to `newResource`.
  const { MockMonitor } = loadNatively<any>("node_modules/@pulumi/pulumi/runtime/mocks.js");
  const requests = vi.spyOn(MockMonitor.prototype, "registerResource");
  try {
    const { resources } = await recordProgram(values, stack);
    const protectedOnes = new Set(
      requests.mock.calls.flatMap(([request]: any) =>
        request.getProtect() ? [`${request.getType()} ${request.getName()}`] : [],
      ),
    );
    return resources.map((resource) => seen(resource, values, protectedOnes.has(`${resource.type} ${resource.name}`)));
  } finally {
    requests.mockRestore();
  }
}

function seen(
  { type, name, inputs, providerInputs }: ResourceRegistration,
  values: Record<string, string>,
  protect: boolean,
) {
  const awsProvider = { defaultTags: values["aws:defaultTags"] };
  const provider = { props: providerInputs ?? (type.startsWith("aws:") ? awsProvider : {}) };
  return { type, name, props: inputs, opts: { protect }, provider };
}
