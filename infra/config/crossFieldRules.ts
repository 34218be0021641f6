import { auroraConnectionLimit, connectionLimit, reservationFault } from "../database/connectionLimit";
import { type SettingKey, type Settings, settings } from "./settings";
import { anywhere } from "./validators";

/** One fault of the configuration, with the full key. */
export interface ConfigIssue {
  readonly key: string;
  /** Whether the stack must set the key and does not. @default false */
  readonly missing?: boolean;
  /** Left out where the key is missing, or there is no such key. */
  readonly got?: string;
  readonly allowed: string;
  /** A value that would do, as `pulumi config set` takes it; left out where there is none to name. */
  readonly fit?: string;
}

/** Settings that one kind of database has and the other has not. */
const ofOneKind = {
  instance: ["database.instanceClass", "database.storageGiB", "database.multiAz"],
  aurora: ["database.minMemoryGiB", "database.maxMemoryGiB"],
} as const;

/** The faults of settings that are fine each by itself. */
export function crossFieldIssues(config: Settings, project: string): ConfigIssue[] {
  const faults: ConfigIssue[] = [];
  const fault = (key: SettingKey, got: unknown, allowed: string, fit?: string) =>
    faults.push({ key: `${project}:${key}`, got: String(got), allowed, ...(fit === undefined ? {} : { fit }) });
  const full = (key: SettingKey) => `${project}:${key}`;

  const ranges = config["database.deployerCidrs"];
  const isPublic = config["database.access"] === "public";
  if (isPublic && ranges.length === 0) {
    const range = "at least the address range that `pulumi up` runs from, such as 198.51.100.7/32";
    fault("database.deployerCidrs", "an empty list", `${range}; or set ${full("database.access")} to private`);
  }
  if (!isPublic && ranges.length > 0) {
    const nobody = "an empty list, since nobody outside the VPC reaches a private database";
    const way = `${nobody}; or set ${full("database.access")} to public`;
    fault("database.deployerCidrs", ranges.join(", "), way, "[]");
  }
  const open = ranges.filter(anywhere);
  if (open.length > 0 && !config["database.allowAnywhere"]) {
    const everyone = "to open the database's port to everyone all the same";
    const way = `ranges of your own; ${everyone}, set ${full("database.allowAnywhere")} to true`;
    fault("database.deployerCidrs", open.join(", "), way);
  }

  const aurora = config["database.kind"] === "aurora";
  for (const key of ofOneKind[aurora ? "instance" : "aurora"]) {
    const usual = settings[key].default;
    if (config[key] === usual) continue;
    const kind = `${full("database.kind")} ${config["database.kind"]}`;
    const allowed = `nothing, or its default ${usual}, with ${kind}, which has no such setting`;
    fault(key, config[key], allowed, String(usual));
  }
  const [least, most] = [config["database.minMemoryGiB"], config["database.maxMemoryGiB"]];
  if (least > most) {
    fault("database.minMemoryGiB", least, `at most ${most}, which ${full("database.maxMemoryGiB")} says`);
  }

  const concurrency = config["registration.reservedConcurrency"];
  const size = aurora ? "database.maxMemoryGiB" : "database.instanceClass";
  const limit = aurora ? auroraConnectionLimit(most) : connectionLimit(config["database.instanceClass"]);
  const tooMany = reservationFault(concurrency, limit, `${full(size)} ${config[size]}`, config["database.proxy"]);
  if (tooMany !== undefined) fault("registration.reservedConcurrency", concurrency, tooMany);
  if (config["registration.buffer"] && [1, 2].includes(concurrency)) {
    const rule = `0, or at least 3 with ${full("registration.buffer")}`;
    fault(
      "registration.reservedConcurrency",
      concurrency,
      `${rule}: AWS gives a queue no fewer than 2, and sign-ins need one`,
    );
  }
  return faults;
}
