import {
  alarmAddress,
  callbackUrl,
  cidr,
  corsOrigin,
  domainPrefix,
  objectBucketName,
  privateCidr,
  stageName,
} from "./validators";

/** A rule returns what is allowed if the value breaks it, and undefined if the value is valid. */
export type Rule<T> = (value: T) => string | undefined;

/** One key of the configuration. */
export interface Setting<T> {
  readonly type: "string" | "integer" | "boolean" | "array";
  readonly description: string;
  /** Without a default, every stack must set the key. */
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
const choice = (description: string, choices: readonly [string, ...string[]]): Setting<string> => ({
  type: "string",
  description,
  default: choices[0],
  rule: (value) => (choices.includes(value) ? undefined : choices.join(" or ")),
});
const flag = (description: string, byDefault: boolean): Setting<boolean> => ({
  type: "boolean",
  description,
  default: byDefault,
});
/** @param least how many items the list has at least */
const list = (
  description: string,
  rule: Rule<string>,
  { default: byDefault, least = 0 }: { default?: readonly string[]; least?: number } = {},
): Setting<readonly string[]> => ({
  type: "array",
  description,
  ...(byDefault ? { default: byDefault } : {}),
  rule: (values) =>
    values.length < least ? `a list of at least ${least}` : values.map(rule).find((allowed) => allowed !== undefined),
});

/** The only periods that CloudWatch accepts (PutRetentionPolicy). */
const retentionDays = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922];

/**
 * Every configuration key of the project. `Pulumi.yaml` declares the same keys, types, defaults and descriptions for
 * the Pulumi CLI; a test compares the two.
 */
export const settings = {
  callbackUrls: list(
    "Where managed login may send people back after sign-in: https URLs, or http on localhost. The page of `npm start` and `npm run web` is served at the first one on localhost.",
    callbackUrl,
    { least: 1 },
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
    rule: corsOrigin,
  }),
  "api.accountLogRole": flag(
    "Give API Gateway the role for its logs, and log the errors of the API. The role is one setting for the whole account and region, so only one stack may do it.",
    false,
  ),
  "api.ownPrefix": flag(
    "Keep each person's uploads below their own prefix, `<sub>/`, so that nobody can overwrite another's picture.",
    false,
  ),
  "api.overwrite": flag("Let an upload replace a picture of the same name.", true),
  "api.writers": choice(
    "Who may upload: `everyone` who is signed in, or `application`, only through the confidential app client auth_writer_app.",
    ["everyone", "application"],
  ),
  "network.cidr": text("Address range of the VPC, from /16 to /24. Fixed at the first deployment.", {
    default: "10.20.0.0/16",
    rule: privateCidr,
  }),
  "database.access": choice(
    "Who reaches the database's port: `private`, only what is in the VPC, where a function makes schema and users; or `public`, also database.deployerCidrs, from where `pulumi up` makes them.",
    ["private", "public"],
  ),
  "database.kind": choice(
    "What the database is: `instance`, one RDS for MySQL, or `aurora`, Aurora MySQL Serverless v2 with a writer and a reader.",
    ["instance", "aurora"],
  ),
  "database.proxy": flag("Put RDS Proxy between the registration function and the database.", false),
  "database.instanceClass": text("RDS instance class. Only of an instance.", {
    default: "db.t4g.micro",
    rule: (value) => (/^db\.[a-z0-9]+\.[a-z0-9]+$/.test(value) ? undefined : "an instance class such as db.t4g.micro"),
  }),
  "database.storageGiB": whole(
    "Storage of the database in GiB; it grows by itself up to five times. Only of an instance.",
    20,
    13107,
    20,
  ),
  "database.multiAz": flag("Keep a standby of the database in the second zone. Only of an instance.", false),
  "database.minMemoryGiB": whole(
    "Memory in GiB that Aurora shrinks to when it is idle; 2 are one Aurora capacity unit. Only of Aurora.",
    1,
    512,
    1,
  ),
  "database.maxMemoryGiB": whole(
    "Memory in GiB that Aurora grows to under load; 2 are one Aurora capacity unit. Only of Aurora.",
    2,
    512,
    8,
  ),
  "database.backupDays": whole("Days that automatic backups are kept.", 1, 35, 7),
  "database.deployerCidrs": list(
    "IPv4 address ranges from which `pulumi up` reaches a public database to make its schema and users; at least one if it is public, none if it is private.",
    cidr,
    { default: [] },
  ),
  "database.allowAnywhere": flag("Allow 0.0.0.0/0 among database.deployerCidrs.", false),
  "registration.memoryMiB": whole("Memory of the registration function in MiB; CPU grows with it.", 128, 3008, 512),
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
    "Refuse to delete what holds data (user pool, database and its network, secret, bucket, queues), and keep a final snapshot of the database.",
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

/** The stack's configuration, checked. The keys are those of `Pulumi.<stack>.yaml`. */
export type Settings = { readonly [K in SettingKey]: ValueOf<(typeof settings)[K]> };
