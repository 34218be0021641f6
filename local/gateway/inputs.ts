import type { Registered } from "../host/part";
import { refuse } from "../objects/admit";
import { parseSource, type Source } from "./mapping";

/** A list of texts that may be left out. */
export function strings(resource: Registered, key: string): string[] {
  const value = resource.inputs[key] ?? [];
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  refuse(resource, `${key} is ${JSON.stringify(value)}; allowed: a list of texts`);
}

/** A map of texts that may be left out. */
export function texts(resource: Registered, key: string): Record<string, string> {
  const value = resource.inputs[key] ?? {};
  const isMap = typeof value === "object" && !Array.isArray(value);
  if (isMap && Object.values(value).every((item) => typeof item === "string")) return value as Record<string, string>;
  refuse(resource, `${key} is ${JSON.stringify(value)}; allowed: a map of texts`);
}

/** Whether a mapping expression can be evaluated here and takes its value from one of these places. */
export function isExpression(expression: string, ...places: Source["from"][]): boolean {
  const source = parseSource(expression);
  return source !== undefined && places.includes(source.from);
}
