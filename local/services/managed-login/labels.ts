import type { PoolSettings } from "../cognito/settings";

/** The pages' word for what people sign in with in this pool. */
export function usernameLabel({ usernameAttributes }: PoolSettings): string {
  return usernameAttributes.includes("email") ? "email address" : "username";
}

/** The pages' word for an attribute of the schema. */
export function attributeLabel(name: string): string {
  return name.replace(/^custom:/, "").replaceAll("_", " ");
}

/** The attributes, other than the user name, that a sign-up requires. */
export function requiredAttributes({ schema }: PoolSettings): string[] {
  return Object.keys(schema).filter((name) => schema[name]!.required && !["email", "sub"].includes(name));
}
