import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { CommandError } from "../cli/commandError";

/** The program's name in `Pulumi.yaml`, and the namespace of its configuration. */
export const project = "ecommerce";

/** The region of a stack without `aws:region`. */
export const defaultRegion = "us-east-1";

/**
 * A stack's configuration as the Pulumi CLI would pass it to the program: the values of `Pulumi.<stack>.yaml`, and the
 * defaults of `Pulumi.yaml` for the other keys.
 *
 * @param root the project's folder
 * @param overrides `KEY=VALUE` from the command line, which replace the stack's values; keys dotted as in README.md
 * @returns `namespace:key` → text; lists and objects as JSON
 * @throws CommandError where the stack has no file, the file is malformed, or a value is encrypted
 */
export function stackConfig(root: string, stack: string, overrides: readonly string[] = []): Record<string, string> {
  const file = join(root, `Pulumi.${stack}.yaml`);
  if (!/^[\w.-]+$/.test(stack) || !existsSync(file)) {
    const known = readdirSync(root).flatMap((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1] ?? []);
    throw new CommandError(
      `There is no stack "${stack}": Pulumi.${stack}.yaml is missing. Stacks here: ${known.join(", ")}.`,
    );
  }
  const values: Record<string, unknown> = {};
  const declared = configOf(join(root, "Pulumi.yaml")) as Record<string, { type: string; default?: unknown }>;
  for (const [key, setting] of Object.entries(declared)) {
    if (setting.default !== undefined) put(values, fullKey(key).split("."), setting.default);
  }
  for (const [key, value] of Object.entries(configOf(file))) {
    if (JSON.stringify(value).includes('"secure":')) {
      throw new CommandError(
        `${key} in Pulumi.${stack}.yaml is encrypted, and the local target cannot decrypt it; use a stack without encrypted values.`,
      );
    }
    put(values, [fullKey(key)], value);
  }
  for (const override of overrides) {
    const [, key, text] = /^([\w:.-]+)=(.+)$/s.exec(override) ?? [];
    if (key === undefined || text === undefined) {
      throw new CommandError(`--set takes KEY=VALUE, such as --set api.stage=v2; got ${override}.`);
    }
    const [namespace, path = ""] = fullKey(key).split(/:(.*)/s);
    const [first, ...rest] = path.split(".");
    const listed = declared[key]?.type === "array";
    const value = parsedValue(key, text);
    put(values, [`${namespace}:${first}`, ...rest], listed && !Array.isArray(value) ? [value] : value);
  }
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, asText(value)]));
}

/** Sets the value at the path; an object is merged into an existing one, as the Pulumi CLI does with dotted keys. */
function put(target: Record<string, unknown>, [first = "", ...rest]: string[], value: unknown): void {
  if (rest.length === 0 && !isObject(value)) {
    target[first] = value;
    return;
  }
  if (!isObject(target[first])) target[first] = {};
  const inner = target[first] as Record<string, unknown>;
  if (rest.length > 0) put(inner, rest, value);
  else for (const [field, item] of Object.entries(value as object)) put(inner, [field], item);
}

/** @throws CommandError where the text is not YAML */
function parsedValue(key: string, text: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    const reason = (cause as Error).message.split("\n")[0];
    throw new CommandError(`--set ${key} takes a value in YAML, such as 1, true or [a, b]; got ${text}: ${reason}`, {
      cause,
    });
  }
}

function configOf(file: string): Record<string, unknown> {
  try {
    const content = parse(readFileSync(file, "utf8")) as { config?: Record<string, unknown> } | null;
    return content?.config ?? {};
  } catch (cause) {
    throw new CommandError(`${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const fullKey = (key: string) => (key.includes(":") ? key : `${project}:${key}`);
const asText = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
