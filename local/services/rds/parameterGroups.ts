/** `aws:rds/parameterGroup:ParameterGroup` and `aws:rds/clusterParameterGroup:ClusterParameterGroup`. */

import { type CreateResult, provisioningError, type ResourceRegistration } from "../../../host/resources";
import { optional, required, string } from "../../lib/inputs";
import type { ServiceContext } from "../../lib/service";

/** Name → value. */
export type Parameters = ReadonlyMap<string, string>;

interface Group {
  /** For example `mysql8.4` or `aurora-mysql8.0`. */
  readonly family: string;
  readonly parameters: Parameters;
}

/** The groups of one kind that the program registered. */
export class ParameterGroups {
  readonly #groups = new Map<string, Group>();

  constructor(
    private readonly context: ServiceContext,
    /** How an ARN names the kind. */
    private readonly arnKind: "pg" | "cluster-pg",
  ) {}

  readonly make = (resource: ResourceRegistration): CreateResult => {
    const rule = "1 to 255 letters, digits and single hyphens, beginning with a letter";
    const given = optional(resource, "name", rule, /^[a-z](?!.*--)[a-z0-9-]{0,253}[a-z0-9]$|^[a-z]$/i);
    const name = given ?? resource.name.toLowerCase();
    const familyRule = "a MySQL family such as mysql8.4 or aurora-mysql8.0";
    const family = required(resource, "family", familyRule, /^(aurora-)?mysql\d+\.\d+$/);
    this.#groups.set(name, { family, parameters: readParameters(resource) });
    const arn = `arn:aws:rds:${this.context.region}:${this.context.accountId}:${this.arnKind}:${name}`;
    return { id: name, outputs: { name, arn, skipDestroy: false } };
  };

  /**
   * The parameters of the group that an input names; empty if it names none or one of AWS's default groups.
   *
   * @throws CommandError if the group does not exist, or is for another engine or version
   */
  of(
    resource: ResourceRegistration,
    key: string,
    engine: "mysql" | "aurora-mysql",
    engineVersion: string | undefined,
  ): Parameters {
    const name = string(resource, key);
    if (name === undefined || name.startsWith("default.")) return new Map();
    const group = this.#groups.get(name);
    if (group === undefined) throw provisioningError(resource, `${key} is ${name}, and no such group is registered.`);
    const series = engineVersion?.split(".").slice(0, 2).join(".") ?? /[\d.]+$/.exec(group.family)![0];
    if (group.family !== `${engine}${series}`) {
      const version = engineVersion === undefined ? engine : `${engine}, engineVersion is ${engineVersion}`;
      throw provisioningError(
        resource,
        `the parameter group ${name} is for ${group.family}, and engine is ${version}.`,
      );
    }
    return group.parameters;
  }
}

function readParameters(resource: ResourceRegistration): Parameters {
  const listed = resource.inputs.parameters ?? [];
  if (!Array.isArray(listed)) throw provisioningError(resource, "parameters must be a list of {name, value}.");
  return new Map(
    (listed as { name?: unknown; value?: unknown }[]).map((entry) => {
      if (typeof entry.name !== "string" || !/^[a-z][a-z0-9_]*$/.test(entry.name) || entry.value === undefined) {
        throw provisioningError(resource, `parameters holds ${JSON.stringify(entry)}, and takes {name, value}.`);
      }
      return [entry.name, String(entry.value)];
    }),
  );
}
