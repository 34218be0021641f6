import { auroraConnectionLimit, connectionLimit, reservationIssue } from "../database/connectionLimit";
import { type SettingKey, type Settings, settings } from "./settings";
import { isEveryAddress } from "./validators";

/** One error in the configuration, with the full key. */
export interface ConfigIssue {
  readonly key: string;
  /** Whether a required key is not set. @default false */
  readonly missing?: boolean;
  /** The value that the stack sets; left out if the key is not set or does not exist. */
  readonly got?: string;
  readonly allowed: string;
  /** A valid value as `pulumi config set` takes it; left out if no single value can be suggested. */
  readonly suggestion?: string;
}

/** Settings that only one kind of database has. */
const ofOneKind = {
  instance: ["database.instanceClass", "database.storageGiB", "database.multiAz"],
  aurora: ["database.minMemoryGiB", "database.maxMemoryGiB"],
} as const;

/** The errors of settings that are valid one by one and contradict each other. */
export function crossFieldIssues(config: Settings, project: string): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  const addIssue = (key: SettingKey, got: unknown, allowed: string, suggestion?: string) =>
    issues.push({
      key: `${project}:${key}`,
      got: String(got),
      allowed,
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  const full = (key: SettingKey) => `${project}:${key}`;

  const ranges = config["database.deployerCidrs"];
  const isPublic = config["database.access"] === "public";
  if (isPublic && ranges.length === 0) {
    const range = "at least the address range that `pulumi up` runs from, such as 198.51.100.7/32";
    addIssue("database.deployerCidrs", "an empty list", `${range}; or set ${full("database.access")} to private`);
  }
  if (!isPublic && ranges.length > 0) {
    const empty = "an empty list, since a private database is reached from inside the VPC only";
    const allowed = `${empty}; or set ${full("database.access")} to public`;
    addIssue("database.deployerCidrs", ranges.join(", "), allowed, "[]");
  }
  const open = ranges.filter(isEveryAddress);
  if (open.length > 0 && !config["database.allowAnywhere"]) {
    const override = "to open the database's port to every address";
    const allowed = `the ranges of your own addresses; ${override}, set ${full("database.allowAnywhere")} to true`;
    addIssue("database.deployerCidrs", open.join(", "), allowed);
  }

  const aurora = config["database.kind"] === "aurora";
  for (const key of ofOneKind[aurora ? "instance" : "aurora"]) {
    const usual = settings[key].default;
    if (config[key] === usual) continue;
    const kind = `${full("database.kind")} ${config["database.kind"]}`;
    const allowed = `nothing, or its default ${usual}, with ${kind}, which does not have this setting`;
    addIssue(key, config[key], allowed, String(usual));
  }
  const [least, most] = [config["database.minMemoryGiB"], config["database.maxMemoryGiB"]];
  if (least > most) {
    addIssue("database.minMemoryGiB", least, `at most ${most}, the value of ${full("database.maxMemoryGiB")}`);
  }

  const concurrency = config["registration.reservedConcurrency"];
  const size = aurora ? "database.maxMemoryGiB" : "database.instanceClass";
  const limit = aurora ? auroraConnectionLimit(most) : connectionLimit(config["database.instanceClass"]);
  const tooMany = reservationIssue(concurrency, limit, `${full(size)} ${config[size]}`, config["database.proxy"]);
  if (tooMany !== undefined) addIssue("registration.reservedConcurrency", concurrency, tooMany);
  if (config["registration.buffer"] && [1, 2].includes(concurrency)) {
    const rule = `0, or at least 3 with ${full("registration.buffer")}`;
    addIssue(
      "registration.reservedConcurrency",
      concurrency,
      `${rule}: AWS gives a queue no fewer than 2, and sign-ins need one`,
    );
  }
  return issues;
}
