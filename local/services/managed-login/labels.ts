import type { PoolSettings } from "../cognito/settings";

/** What people are known by in this pool, as the pages call it. */
export function usernameLabel({ usernameAttributes }: PoolSettings): string {
  return usernameAttributes.includes("email") ? "email address" : "username";
}

/** A schema's attribute as the pages call it. */
export function attributeLabel(name: string): string {
  return name.replace(/^custom:/, "").replaceAll("_", " ");
}

/** The attributes that everybody has to give at sign-up beside the user name. */
export function askedAttributes({ schema }: PoolSettings): string[] {
  return Object.keys(schema).filter((name) => schema[name]!.required && !["email", "sub"].includes(name));
}
