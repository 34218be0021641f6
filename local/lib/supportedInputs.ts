import { provisioningError, type ResourceRegistration } from "../../host/resources";

/** The supported inputs of a resource type on this machine, so that no other input is ignored silently. */
export interface Support {
  /** Inputs that have the same effect as on AWS. */
  readonly simulated: readonly string[];
  /** Inputs that are accepted and have no effect on this machine. */
  readonly recorded?: readonly string[];
  /** Inputs that are accepted with these values only, because other values would change what a client sees. */
  readonly only?: Readonly<Record<string, readonly unknown[]>>;
}

/**
 * Accepts a resource only where every one of its inputs is supported.
 * @throws CommandError that names the input, its value and what is allowed.
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

/** Throws the error for a resource that cannot be created. @param sentence without the full stop, which is added */
export function refuse(resource: ResourceRegistration, sentence: string): never {
  throw provisioningError(resource, `${sentence}.`);
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
