import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import {
  alarmAddress,
  anywhere,
  callbackUrl,
  cidr,
  domainPrefix,
  objectBucketName,
  privateCidr,
  stageName,
  word,
} from "./configRules";
import { reservationFault } from "./connectionLimit";

/** A rule answers what is allowed when a value breaks it, and nothing when the value is fine. */
export type Rule<T> = (value: T) => string | undefined;

interface Setting<T> {
  readonly type: "string" | "integer" | "boolean" | "array";
  readonly description: string;
  /** Without a default the key must be set by every stack. */
  readonly default?: T;
  readonly rule?: Rule<T>;
}

const text = (description: string, more: { default?: string; rule?: Rule<string> } = {}): Setting<string> => ({
  type: "string",
  description,
  ...more,
});
const whole = (description: string, min: number, max: number, byDefault: number): Setting<number> => ({
  type: "integer",
  description,
  default: byDefault,
  rule: (value) => (value >= min && value <= max ? undefined : `a whole number from ${min} to ${max}`),
});
const flag = (description: string, byDefault: boolean): Setting<boolean> => ({
  type: "boolean",
  description,
  default: byDefault,
});
const list = (description: string, rule: Rule<string>, byDefault?: readonly string[]): Setting<readonly string[]> => ({
  type: "array",
  description,
  ...(byDefault ? { default: byDefault } : {}),
  rule: (values) => values.map(rule).find((allowed) => allowed !== undefined),
});

/** CloudWatch takes these periods only (PutRetentionPolicy). */
const retentionDays = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922];

/**
 * Every configuration key of the project. `Pulumi.yaml` declares the same keys, types, defaults and descriptions for
 * the Pulumi CLI; a test keeps the two equal.
 */
export const settings = {
  callbackUrls: list(
    "Where managed login may send people back after sign-in: https URLs, or http on localhost. The page of `npm start` and `npm run web` is served at the first one on localhost.",
    callbackUrl,
  ),
  signOutUrls: list("Where managed login may send people back after sign-out.", callbackUrl),
  domainPrefix: text(
    "First label of the managed login domain: lowercase letters, digits and hyphens, unique in the region.",
    { rule: domainPrefix },
  ),
  bucketName: text("Name of the bucket for product images; bucket names are global.", { rule: objectBucketName }),
  "api.stage": text("Stage of the image API.", { default: "v1", rule: stageName }),
  "api.corsOrigin": text("Origin that browsers may call the image API from; `*` allows every origin.", {
    default: "*",
    rule: word,
  }),
  "api.accountLogRole": flag(
    "Give API Gateway the role for its logs. The setting is one for the whole account and region, so only one stack may do it.",
    false,
  ),
  "api.ownPrefix": flag(
    "Keep each person's uploads below their own prefix, `<sub>/`, so that nobody can overwrite another's picture.",
    false,
  ),
  "api.overwrite": flag("Let an upload replace a picture of the same name.", true),
  "api.writers": text(
    "Who may upload: `everyone` who is signed in, or `application`, only through the confidential app client auth_writer_app.",
    {
      default: "everyone",
      rule: (value) => (["everyone", "application"].includes(value) ? undefined : "everyone or application"),
    },
  ),
  "network.cidr": text("Address range of the VPC, from /16 to /24.", { default: "10.20.0.0/16", rule: privateCidr }),
  "database.instanceClass": text("RDS instance class.", {
    default: "db.t4g.micro",
    rule: (value) => (/^db\.[a-z0-9]+\.[a-z0-9]+$/.test(value) ? undefined : "an instance class such as db.t4g.micro"),
  }),
  "database.storageGiB": whole("Storage of the database in GiB; it grows by itself up to five times.", 20, 13107, 20),
  "database.backupDays": whole("Days that automatic backups are kept.", 1, 35, 7),
  "database.multiAz": flag("Keep a standby of the database in the second zone.", false),
  "database.deployerCidrs": list(
    "Address ranges from which `pulumi up` reaches the database to make its schema and users.",
    cidr,
  ),
  "database.allowAnywhere": flag("Allow 0.0.0.0/0 and ::/0 among database.deployerCidrs.", false),
  "registration.memoryMiB": whole("Memory of the registration function in MiB; CPU grows with it.", 128, 3008, 256),
  "registration.reservedConcurrency": whole(
    "How many registrations may run at once; each holds one database connection. 0 reserves nothing.",
    0,
    1000,
    0,
  ),
  "registration.buffer": flag(
    "Put confirmed users into a queue, from which they are registered when the database can take them.",
    false,
  ),
  "logs.retentionDays": {
    type: "integer",
    description: "Days that logs are kept.",
    default: 30,
    rule: (value: number) => (retentionDays.includes(value) ? undefined : `one of ${retentionDays.join(", ")}`),
  } as Setting<number>,
  "alarms.email": text(
    "Who is mailed when an alarm rings and when it is over; `none` mails nobody. AWS first mails a link to accept that.",
    { default: "none", rule: alarmAddress },
  ),
  "data.protect": flag(
    "Refuse to delete what holds data (user pool, database, secret, bucket), and keep a final snapshot of the database.",
    true,
  ),
  "secret.recoveryDays": {
    type: "integer",
    description: "Days in which a deleted secret can be restored; 0 deletes it at once and frees its name.",
    default: 7,
    rule: (value: number) => (value === 0 || (value >= 7 && value <= 30) ? undefined : "0, or from 7 to 30"),
  } as Setting<number>,
  "secret.rotationDays": whole(
    "Days between two changes of the database password that the secret holds; 0 leaves it as it is.",
    0,
    1000,
    0,
  ),
} as const;

export type SettingKey = keyof typeof settings;
type ValueOf<S> = S extends Setting<infer T> ? T : never;

/** The stack's configuration, checked. Keys read as in `Pulumi.<stack>.yaml`. */
export type Settings = { readonly [K in SettingKey]: ValueOf<(typeof settings)[K]> };

/** One fault of the configuration, with the full key. */
export interface Fault {
  readonly key: string;
  readonly got: string;
  readonly allowed: string;
}

/** Every fault of the configuration in one message. */
export class ConfigError extends pulumi.RunError {
  constructor(
    stack: string,
    readonly faults: readonly Fault[],
  ) {
    const lines = faults.map(({ key, got, allowed }) => `  ${key}: got ${got}; allowed is ${allowed}`);
    super(
      `The configuration of stack "${stack}" has ${faults.length === 1 ? "a fault" : `${faults.length} faults`}:\n` +
        `${lines.join("\n")}\nSet a key with \`pulumi config set --path KEY VALUE\`, or edit Pulumi.${stack}.yaml; ` +
        "README.md describes each key.",
    );
  }
}

/**
 * Checks a stack's whole configuration and answers it typed, with defaults filled in.
 *
 * @param values all configuration of the stack as Pulumi hands it over: `namespace:key` → text (JSON for lists and for
 *   objects; `database.multiAz` is the field `multiAz` of the object `database`)
 * @throws ConfigError with every fault: missing, malformed, out of range, contradicting or unknown keys
 */
export function parseConfig(values: Readonly<Record<string, string>>, project: string, stack: string): Settings {
  const faults: Fault[] = [];
  const parsed: Record<string, unknown> = {};
  const given = flattened(values, project);

  for (const [key, setting] of Object.entries(settings) as [SettingKey, Setting<unknown>][]) {
    const raw = given[key];
    const value = raw === undefined ? setting.default : fromText(raw, setting.type);
    const allowed = value === undefined ? kinds[setting.type] : setting.rule?.(value);
    if (allowed !== undefined || value === undefined) {
      faults.push({ key: `${project}:${key}`, got: shown(raw), allowed: allowed ?? kinds[setting.type] });
    }
    parsed[key] = value;
  }

  for (const key of Object.keys(given)) {
    if (!(key in settings)) {
      const known = closest(key, Object.keys(settings));
      const allowed = `a key of README.md's table, such as ${project}:${known}`;
      faults.push({ key: `${project}:${key}`, got: "an unknown key", allowed });
    }
  }
  if (!values["aws:region"]) {
    faults.push({ key: "aws:region", got: "nothing", allowed: "the region to deploy to, such as us-east-1" });
  }
  if (faults.length === 0) faults.push(...contradictions(parsed as Settings, project));
  if (faults.length > 0) throw new ConfigError(stack, faults);
  return parsed as Settings;
}

/** What the whole program reads from outside its code: the stack's configuration and this process's environment. */
export interface Surroundings {
  readonly stack: string;
  readonly region: string;
  readonly settings: Settings;
  /** PEM files with authorities beyond RDS's, from Node's own variable NODE_EXTRA_CA_CERTS. */
  readonly extraAuthorities: readonly string[];
  /**
   * Whether the mysql provider can verify RDS's certificate: Go reads SSL_CERT_FILE, and on Linux only.
   * `npm run ca-bundle` writes such a file.
   */
  readonly verifiedByBundle: boolean;
}

/** Reads the surroundings once, at the start of the program. @throws ConfigError */
export function readSurroundings(): Surroundings {
  const values = pulumi.runtime.allConfig();
  const stack = pulumi.getStack();
  return {
    stack,
    settings: parseConfig(values, pulumi.getProject(), stack),
    region: values["aws:region"] ?? "",
    extraAuthorities: process.env.NODE_EXTRA_CA_CERTS ? [process.env.NODE_EXTRA_CA_CERTS] : [],
    verifiedByBundle: process.platform === "linux" && Boolean(process.env.SSL_CERT_FILE),
  };
}

function contradictions(config: Settings, project: string): Fault[] {
  const faults: Fault[] = [];
  const ranges = config["database.deployerCidrs"];
  if (ranges.length === 0) {
    faults.push({
      key: `${project}:database.deployerCidrs`,
      got: "an empty list",
      allowed: "at least the address range that `pulumi up` runs from, such as 198.51.100.7/32",
    });
  }
  const open = ranges.filter(anywhere);
  if (open.length > 0 && !config["database.allowAnywhere"]) {
    faults.push({
      key: `${project}:database.deployerCidrs`,
      got: open.join(", "),
      allowed: `ranges of your own; to open the database's port to everyone all the same, set ${project}:database.allowAnywhere to true`,
    });
  }
  const concurrency = config["registration.reservedConcurrency"];
  const tooMany = reservationFault(concurrency, config["database.instanceClass"], `${project}:database.instanceClass`);
  if (tooMany !== undefined) {
    faults.push({ key: `${project}:registration.reservedConcurrency`, got: String(concurrency), allowed: tooMany });
  }
  if (config["registration.buffer"] && [1, 2].includes(concurrency)) {
    faults.push({
      key: `${project}:registration.reservedConcurrency`,
      got: String(concurrency),
      allowed: `0, or at least 3 with ${project}:registration.buffer: AWS gives a queue no fewer than 2, and sign-ins need one`,
    });
  }
  return faults;
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
  string: "a text that is not empty",
  integer: "a whole number",
  boolean: "true or false",
  array: "a list of texts that is not empty",
} as const;

/** The value in its type, or undefined where the text is not of it. */
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

const shown = (raw: string | undefined) => (raw === undefined ? "nothing" : raw === "" ? "an empty text" : raw);

/** The known key that shares most letters with the unknown one, to help with slips of the pen. */
function closest(unknown: string, known: string[]): string {
  const pairs = (word: string) => new Set(Array.from({ length: word.length - 1 }, (_, i) => word.slice(i, i + 2)));
  const wanted = pairs(unknown.toLowerCase());
  const score = (word: string) =>
    [...pairs(word.toLowerCase())].filter((pair) => wanted.has(pair)).length / word.length;
  return known.reduce((best, word) => (score(word) > score(best) ? word : best));
}

/** A short, stable digest for names and triggers: 64 bits of SHA-256, as hexadecimal text. */
export const digest = (value: string) => createHash("sha256").update(value).digest("hex").slice(0, 16);
