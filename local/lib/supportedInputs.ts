import { provisioningError, type ResourceRegistration } from "../../host/resources";

/** Which inputs of a resource type this machine knows, so that nothing the program asks for is ignored silently. */
export interface Support {
  /** Inputs that have their effect here too. */
  readonly simulated: readonly string[];
  /** Inputs that are accepted and have no effect on this machine. */
  readonly recorded?: readonly string[];
  /** Inputs that are accepted with these values only, because the others would change what a client sees. */
  readonly only?: Readonly<Record<string, readonly unknown[]>>;
}

/**
 * Lets a resource through only where every one of its inputs is known.
 * @throws CommandError that names the input, what was given and what is allowed.
 */
export function assertSupportedInputs(resource: ResourceRegistration, support: Support, region: string): void {
  const only: Support["only"] = { ...support.only, region: [region] };
  const known = [...support.simulated, ...(support.recorded ?? []), ...Object.keys(only)];
  for (const [key, value] of Object.entries(resource.inputs)) {
    if (value === undefined || value === null) continue;
    if (!known.includes(key)) {
      refuse(resource, `the input ${key} is not simulated on this machine; these are: ${known.sort().join(", ")}`);
    }
    const allowed = only[key];
    if (allowed && !allowed.some((one) => same(one, value))) {
      const list = allowed.map((one) => JSON.stringify(one)).join(", ");
      refuse(resource, `${key} is ${JSON.stringify(value)}, which is not simulated on this machine; allowed: ${list}`);
    }
  }
}

/** Ends the provisioning of a resource with a sentence that names it; the full stop is set here. */
export function refuse(resource: ResourceRegistration, sentence: string): never {
  throw provisioningError(resource, `${sentence}.`);
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
