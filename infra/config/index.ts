import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { UserError } from "../errors/userErrors";
import { type ConfigIssue, crossFieldIssues } from "./crossFieldRules";
import { type Setting, type SettingKey, type Settings, settings } from "./settings";

export type { Settings };
export { settings };

/** All errors in the configuration in one message, with the Pulumi command that corrects them. */
export class ConfigError extends UserError {
  /** The errors as text, without the advice how to correct them. */
  readonly description: string;

  constructor(
    readonly stackName: string,
    readonly issues: readonly ConfigIssue[],
  ) {
    const lines = issues.map((issue) => `  ${issue.key}: ${inWords(issue)}`);
    const count = issues.length === 1 ? "an error" : `${issues.length} errors`;
    const description = `The configuration of stack "${stackName}" has ${count}:\n${lines.join("\n")}`;
    super(
      `${description}\nSet a key with \`pulumi config set --path KEY VALUE\`, or edit Pulumi.${stackName}.yaml; ` +
        "docs/configuration.md describes each key.",
    );
    this.description = description;
  }
}

function inWords({ missing, got, allowed }: ConfigIssue): string {
  if (missing) return `not set; allowed is ${allowed}`;
  return got === undefined ? allowed : `got ${got}; allowed is ${allowed}`;
}

/**
 * Checks a stack's whole configuration and returns it typed, with defaults filled in.
 *
 * @param values all configuration of the stack as Pulumi passes it: `namespace:key` → text (JSON for lists and for
 *   objects; `database.multiAz` is the field `multiAz` of the object `database`)
 * @throws ConfigError with every error: missing, malformed, out of range, contradicting or unknown keys
 */
export function parseConfig(values: Readonly<Record<string, string>>, project: string, stack: string): Settings {
  const issues: ConfigIssue[] = [];
  const parsed: Record<string, unknown> = {};
  const given = flattened(values, project);

  for (const [key, setting] of Object.entries(settings) as [SettingKey, Setting<unknown>][]) {
    const raw = given[key];
    const value = raw === undefined ? setting.default : fromText(raw, setting.type);
    const allowed = value === undefined ? kinds[setting.type] : setting.rule?.(value);
    if (allowed !== undefined || value === undefined) {
      const got = raw === undefined ? { missing: true } : { got: shown(raw) };
      issues.push({ key: `${project}:${key}`, ...got, allowed: allowed ?? kinds[setting.type] });
    }
    parsed[key] = value;
  }

  for (const key of Object.keys(given)) {
    if (!(key in settings)) {
      const known = closest(key, Object.keys(settings));
      issues.push({ key: `${project}:${key}`, allowed: `there is no such key; the nearest is ${project}:${known}` });
    }
  }
  if (!values["aws:region"]) {
    issues.push({ key: "aws:region", missing: true, allowed: "the region to deploy to, such as us-east-1" });
  }
  if (issues.length === 0) issues.push(...crossFieldIssues(parsed as Settings, project));
  if (issues.length > 0) throw new ConfigError(stack, issues);
  return parsed as Settings;
}

/** What the whole program reads from outside its code: the stack's configuration and this process's environment. */
export interface ProgramContext {
  readonly stack: string;
  readonly region: string;
  readonly settings: Settings;
  /**
   * PEM files with certificate authorities that this process trusts beside RDS's: from Node's variable
   * NODE_EXTRA_CA_CERTS. What is deployed must not depend on them, since another machine may run the next deployment.
   */
  readonly extraCaCerts: readonly string[];
  /**
   * Whether the mysql provider can verify RDS's certificate: Go reads SSL_CERT_FILE, and on Linux only.
   * `npm run ca-bundle` writes such a file.
   */
  readonly verifiedByBundle: boolean;
}

/**
 * Reads the context once, at the start of the program.
 *
 * @param environment NODE_EXTRA_CA_CERTS and SSL_CERT_FILE are read
 * @throws ConfigError
 */
export function readContext(environment: NodeJS.ProcessEnv): ProgramContext {
  const values = pulumi.runtime.allConfig();
  const stack = pulumi.getStack();
  return {
    stack,
    settings: parseConfig(values, pulumi.getProject(), stack),
    region: values["aws:region"] ?? "",
    extraCaCerts: environment.NODE_EXTRA_CA_CERTS ? [environment.NODE_EXTRA_CA_CERTS] : [],
    verifiedByBundle: process.platform === "linux" && Boolean(environment.SSL_CERT_FILE),
  };
}

/** The project's values by dotted key, as text. */
function flattened(values: Readonly<Record<string, string>>, project: string): Record<string, string> {
  const flat: Record<string, string> = {};
  const add = (key: string, value: unknown) => {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      for (const [field, item] of Object.entries(value)) add(`${key}.${field}`, item);
    } else {
      flat[key] = typeof value === "string" ? value : JSON.stringify(value);
    }
  };
  for (const [key, text] of Object.entries(values)) {
    const name = key.startsWith(`${project}:`) ? key.slice(project.length + 1) : undefined;
    if (name !== undefined) add(name, text.startsWith("{") ? (fromJson(text) ?? text) : text);
  }
  return flat;
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const kinds = {
  string: "a non-empty string",
  integer: "a whole number",
  boolean: "true or false",
  array: "a list of strings",
} as const;

/** The text converted to the type, or undefined if it is not valid for the type. */
function fromText(raw: string, type: Setting<unknown>["type"]): unknown {
  switch (type) {
    case "string":
      return raw === "" ? undefined : raw;
    case "integer":
      return /^-?\d{1,9}$/.test(raw) ? Number(raw) : undefined;
    case "boolean":
      return raw === "true" ? true : raw === "false" ? false : undefined;
    case "array": {
      const value = fromJson(raw);
      return Array.isArray(value) && value.every((item) => typeof item === "string") ? value : undefined;
    }
  }
}

/** The value as a message shows it. */
const shown = (raw: string) => (raw === "" ? "an empty string" : raw);

/** The known key that shares most letters with the unknown one, to help with typing errors. */
function closest(unknown: string, known: string[]): string {
  const pairs = (word: string) => new Set(Array.from({ length: word.length - 1 }, (_, i) => word.slice(i, i + 2)));
  const unknownPairs = pairs(unknown.toLowerCase());
  const score = (word: string) =>
    [...pairs(word.toLowerCase())].filter((pair) => unknownPairs.has(pair)).length / word.length;
  return known.reduce((best, word) => (score(word) > score(best) ? word : best));
}

/** A short, stable digest for names and triggers: 64 bits of SHA-256, as hexadecimal text. */
export const digest = (value: string) => createHash("sha256").update(value).digest("hex").slice(0, 16);
