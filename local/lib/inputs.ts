/**
 * Reads the inputs of a registered resource, one function for each type. Each throws a CommandError that names the
 * resource where the input is set and has another type.
 */

import type { CommandError } from "../../cli/commandError";
import { provisioningError, type ResourceRegistration } from "../../host/resources";

/** Undefined where it is not set; the same for `boolean` and `number`. */
export function string(resource: ResourceRegistration, key: string): string | undefined {
  return read(resource, key, "a string", (value): value is string => typeof value === "string");
}

export function boolean(resource: ResourceRegistration, key: string): boolean | undefined {
  return read(resource, key, "true or false", (value): value is boolean => typeof value === "boolean");
}

export function number(resource: ResourceRegistration, key: string): number | undefined {
  return read(resource, key, "a number", (value): value is number => typeof value === "number");
}

/** A list of strings; empty where it is not set. */
export function strings(resource: ResourceRegistration, key: string): string[] {
  const areStrings = (value: unknown): value is string[] => Array.isArray(value) && value.every(isString);
  return read(resource, key, "a list of strings", areStrings) ?? [];
}

/** A map of strings; empty where it is not set. */
export function stringMap(resource: ResourceRegistration, key: string): Record<string, string> {
  const isMap = (value: unknown): value is Record<string, string> =>
    isObject(value) && Object.values(value).every(isString);
  return read(resource, key, "a map of strings", isMap) ?? {};
}

/**
 * A string that must be set.
 * @param rule what is allowed, as text for the error message
 */
export function required(
  resource: ResourceRegistration,
  key: string,
  rule = "a non-empty string",
  allowed: RegExp = /./s,
): string {
  const value = string(resource, key);
  if (value === undefined) throw provisioningError(resource, `${key} is not set, and must be ${rule}.`);
  return matched(resource, key, value, rule, allowed);
}

/** As `required`; undefined where it is not set. */
export function optional(
  resource: ResourceRegistration,
  key: string,
  rule: string,
  allowed: RegExp,
): string | undefined {
  const value = string(resource, key);
  return value === undefined ? undefined : matched(resource, key, value, rule, allowed);
}

/** A whole number in a range, both ends included. */
export function whole(
  resource: ResourceRegistration,
  key: string,
  otherwise: number,
  least: number,
  most: number,
): number {
  const value = resource.inputs[key] ?? otherwise;
  if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
  throw provisioningError(
    resource,
    `${key} is ${JSON.stringify(value)}; allowed: a whole number from ${least} to ${most}.`,
  );
}

/** An object that programs write as JSON text. */
export function jsonObject(resource: ResourceRegistration, key: string): Record<string, unknown> {
  const text = resource.inputs[key];
  try {
    const value: unknown = typeof text === "string" ? JSON.parse(text) : undefined;
    if (isObject(value)) return value;
  } catch {
    // Reported below.
  }
  throw provisioningError(
    resource,
    `${key} is ${JSON.stringify(text) ?? "not set"}; it must be JSON text of an object.`,
  );
}

const isString = (value: unknown): value is string => typeof value === "string";
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function matched(resource: ResourceRegistration, key: string, value: string, rule: string, allowed: RegExp): string {
  if (allowed.test(value)) return value;
  throw wrong(resource, key, rule);
}

function read<T>(
  resource: ResourceRegistration,
  key: string,
  kind: string,
  is: (value: unknown) => value is T,
): T | undefined {
  const value = resource.inputs[key];
  if (value === undefined || value === null) return undefined;
  if (!is(value)) throw wrong(resource, key, kind);
  return value;
}

function wrong(resource: ResourceRegistration, key: string, rule: string): CommandError {
  // The message must not contain a secret.
  const got = /password|secret/i.test(key) ? "is not" : `is ${JSON.stringify(resource.inputs[key])}, and must be`;
  return provisioningError(resource, `${key} ${got} ${rule}.`);
}
