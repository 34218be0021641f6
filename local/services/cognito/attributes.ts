import { invalidParameter } from "./errors";
import type { PoolSettings } from "./settings";
import type { User } from "./users";

/** Attributes that only Cognito itself sets. */
const reserved = ["sub", "email_verified", "phone_number_verified"];

/**
 * Checks a new user's attributes against the pool's schema.
 * @param byAdministrator an administrator may also mark an address as verified.
 * @throws InvalidParameterException with Cognito's text for the first error.
 */
export function checkAttributes(
  attributes: Readonly<Record<string, string>>,
  { schema }: PoolSettings,
  byAdministrator = false,
): void {
  for (const [name, value] of Object.entries(attributes)) {
    const rule = schema[name];
    if (!rule)
      throw invalidParameter(
        `Attributes did not conform to the schema: Type for attribute {${name}} could not be determined`,
      );
    if (name === "sub" || (reserved.includes(name) && !byAdministrator)) {
      throw invalidParameter(`Attributes did not conform to the schema: ${name}: Attribute cannot be set.`);
    }
    if (name === "email" && !isEmail(value)) throw invalidParameter("Invalid email address format.");
    // Cognito counts characters, not UTF-16 units.
    const length = [...value].length;
    const bound =
      length > rule.maxLength
        ? `String must not be longer than ${rule.maxLength} characters`
        : length < rule.minLength
          ? `String must be at least ${rule.minLength} characters`
          : undefined;
    if (bound) throw invalidParameter(`Attributes did not conform to the schema: ${name}: ${bound}`);
  }
  const missing = Object.keys(schema).find((name) => schema[name]!.required && !attributes[name] && name !== "sub");
  if (missing)
    throw invalidParameter(`Attributes did not conform to the schema: ${missing}: The attribute is required`);
}

export function isEmail(value: string): boolean {
  return /^[^\s@<>(),;:\\"[\]]+@[^\s@<>(),;:\\"[\]_]+$/u.test(value) && !value.includes("..");
}

/** `[{ Name, Value }]`, `sub` first. */
export function attributePairs({ attributes }: User, names?: readonly string[]): { Name: string; Value: string }[] {
  return Object.entries(attributes)
    .filter(([name]) => names === undefined || names.includes(name))
    .map(([Name, Value]) => ({ Name, Value }));
}
