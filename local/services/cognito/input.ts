import { invalidParameter } from "./errors";

/** The JSON body of a call as received: not validated. */
export type Input = Readonly<Record<string, unknown>>;

/** Longest value that Cognito accepts for any single field read here. */
const longest = 2048;

/** @throws InvalidParameterException if the field is missing, empty, too long or not a string. */
export function text(input: Input, field: string): string {
  const value = optionalText(input, field);
  if (value === undefined || value === "") throw constraint(field, "Member must not be null");
  return value;
}

/** @throws InvalidParameterException if the field is given and is too long or not a string. */
export function optionalText(input: Input, field: string): string | undefined {
  const value = input[field];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw constraint(field, "Member must be a string");
  // Tokens are longer than any other value.
  const limit = field.endsWith("Token") || field === "REFRESH_TOKEN" ? 20_000 : longest;
  if (value.length > limit) throw constraint(field, `Member must have length less than or equal to ${limit}`);
  return value;
}

/** @throws InvalidParameterException if the field is given and is not a boolean. */
export function flag(input: Input, field: string, otherwise: boolean): boolean {
  const value = input[field] ?? otherwise;
  if (typeof value !== "boolean") throw constraint(field, "Member must be a boolean");
  return value;
}

/** @throws InvalidParameterException if the field is given and is not a whole number in the range. */
export function wholeNumber(input: Input, field: string, least: number, most: number, otherwise: number): number {
  const value = input[field] ?? otherwise;
  if (typeof value !== "number" || !Number.isInteger(value)) throw constraint(field, "Member must be a whole number");
  if (value > most) throw constraint(field, `Member must have value less than or equal to ${most}`);
  if (value < least) throw constraint(field, `Member must have value greater than or equal to ${least}`);
  return value;
}

/** A map of strings, for example `AuthParameters`; empty if it is missing. */
export function textMap(input: Input, field: string): Record<string, string> {
  const value = input[field] ?? {};
  const isMap = typeof value === "object" && !Array.isArray(value);
  if (!isMap || Object.values(value as object).some((entry) => typeof entry !== "string")) {
    throw constraint(field, "Member must be a map of strings");
  }
  return value as Record<string, string>;
}

/** A list of strings; undefined if it is missing. */
export function textList(input: Input, field: string): string[] | undefined {
  const value = input[field];
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value) || value.some((entry) => typeof entry !== "string")) {
    throw constraint(field, "Member must be a list of strings");
  }
  return value;
}

/** `[{ Name, Value }]` as a record; empty if it is missing. */
export function attributeList(input: Input, field: string): Record<string, string> {
  const value = input[field] ?? [];
  if (!Array.isArray(value)) throw constraint(field, "Member must be a list");
  const attributes: Record<string, string> = Object.create(null);
  for (const entry of value as Input[]) {
    if (typeof entry !== "object" || entry === null) throw constraint(field, "Member must have a Name and a Value");
    attributes[text(entry, "Name")] = optionalText(entry, "Value") ?? "";
  }
  return attributes;
}

function constraint(field: string, problem: string) {
  const name = field.charAt(0).toLowerCase() + field.slice(1);
  return invalidParameter(`1 validation error detected: Value at '${name}' failed to satisfy constraint: ${problem}`);
}
