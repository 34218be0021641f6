/** Copies the inputs that the policy SDK passes to a rule. */

import { unknown } from "./rule";

/**
 * A plain copy in which values that are not known yet are {@link unknown}. The SDK throws when such a value is read,
 * and would then skip the whole rule for the resource, also its findings about known values.
 */
export function knownProps(props: object): Record<string, unknown> {
  return Object.fromEntries(Object.keys(props).map((key) => [key, read(props, key)]));
}

function read(holder: object, key: string): unknown {
  let value: unknown;
  try {
    value = (holder as Record<string, unknown>)[key];
  } catch (error) {
    if (error instanceof Error && error.message.includes("can't be known during preview")) return unknown;
    throw error;
  }
  if (typeof value !== "object" || value === null) return value;
  const items = value;
  if (Array.isArray(items)) return Array.from(items.keys(), (index) => read(items, String(index)));
  // Files and archives are instances of classes, and no rule reads them.
  return Object.getPrototypeOf(items) === Object.prototype ? knownProps(items) : undefined;
}

/** Whether the value is or contains {@link unknown}. */
export function hasUnknown(value: unknown): boolean {
  if (value === unknown) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(hasUnknown);
}
