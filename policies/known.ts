/** Takes apart what the policy SDK hands over. */

import { unknown } from "./rule";

/**
 * A plain copy in which values that cannot be known yet are {@link unknown}. The SDK throws where such a value is read,
 * and would then skip the whole rule for the resource, also what it says about the values that are known.
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
  // Files and archives have a class of their own, and no rule looks into them.
  return Object.getPrototypeOf(items) === Object.prototype ? knownProps(items) : undefined;
}

/** Whether something in the value is {@link unknown}. */
export function hasUnknown(value: unknown): boolean {
  if (value === unknown) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(hasUnknown);
}
