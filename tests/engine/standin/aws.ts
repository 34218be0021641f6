/**
 * Replaces the aws provider: returns the outputs that this program reads, and refuses what AWS would refuse: unknown
 * inputs, a name that is taken, a creation or deletion in the wrong order (`order.ts`), and deleting a resource that
 * another one still names.
 */
import { randomBytes } from "node:crypto";
import { createHandler } from "../../../functions/applySchema";
import type { Cloud, Thing } from "./cloud";
import { kinds, type TypeRules } from "./kinds";
import * as mysqlServer from "./mysqlServer";
import { assertMayDelete, assertMayExist, membersOf, waitForCreation } from "./order";
import { changedKeys, type Properties, type Provider, type Subject, unknown } from "./provider";
import { schemaOf } from "./schema";
import { removeLabels, supersede, versionsOf } from "./secretVersions";

const account = "000000000000";

/**
 * A past call: it keeps no other resource from being deleted, and its effect on the database ends with the database.
 */
const invocation = "aws:lambda/invocation:Invocation";
const secret = "aws:secretsmanager/secret:Secret";
const secretVersion = "aws:secretsmanager/secretVersion:SecretVersion";

/** Unique for each server, also for servers with the same name. */
const resourceId = (kind: string) => `${kind}-${randomBytes(13).toString("hex").toUpperCase()}`;

/** Outputs that this program reads and that need a meaningful value. */
const computedOutputs: Readonly<Record<string, (inputs: Properties, id: string, cloud: Cloud) => Properties>> = {
  "aws:apigateway/stage:Stage": ({ restApi, stageName }) => ({
    invokeUrl: `https://${restApi}.execute-api.us-east-1.amazonaws.com/${stageName}`,
  }),
  "aws:cognito/userPoolClient:UserPoolClient": ({ generateSecret }) => ({
    clientSecret: generateSecret ? randomBytes(26).toString("hex") : "",
  }),
  [invocation]: () => ({ result: "{}" }),
  "aws:rds/cluster:Cluster": (_, id) => {
    const { host, port } = mysqlServer.address("cluster", `${id}.cluster-0`);
    // A cluster's endpoint has no port, unlike an instance's.
    return { endpoint: host, port, clusterResourceId: resourceId("cluster") };
  },
  "aws:rds/clusterInstance:ClusterInstance": ({ clusterIdentifier }, id, cloud) => ({
    // The first instance is the writer.
    writer: membersOf(cloud, clusterIdentifier).every((member) => member.id === id),
  }),
  "aws:rds/instance:Instance": (_, id) => {
    const { host, port } = mysqlServer.address("instance", `${id}.0`);
    return { address: host, endpoint: `${host}:${port}`, port, resourceId: resourceId("db") };
  },
  "aws:s3/bucket:Bucket": ({ bucket }) => ({ bucketRegionalDomainName: `${bucket}.s3.us-east-1.amazonaws.com` }),
  [secretVersion]: ({ secretId }) => ({
    arn: `arn:aws:secretsmanager:us-east-1:${account}:${secretId}`,
    versionStages: ["AWSCURRENT"],
  }),
};

export function awsProvider(cloud: Cloud): Provider {
  let region = "";
  let defaultTags: Record<string, string> = {};

  const outputsOf = ({ type }: Subject, id: string, inputs: Properties, preview: boolean): Properties => {
    const { outputs, computed } = schemaOf(type);
    const specific = preview ? {} : computedOutputs[type]?.(inputs, id, cloud);
    const missing = [...computed].filter((key) => inputs[key] === undefined && specific?.[key] === undefined);
    const placeholders = missing.map((key) => [key, preview ? unknown : placeholder(type, id, key, outputs.get(key))]);
    const tags = inputs.tags === undefined ? {} : { tagsAll: inputs.tags };
    return { ...Object.fromEntries(placeholders), ...inputs, ...specific, ...tags, region };
  };

  return {
    version: require("@pulumi/aws/package.json").version,

    configure(settings) {
      region = settings["aws:config:region"] ?? "";
      // The engine passes the provider's own settings as strings, lists and objects as JSON.
      defaultTags = JSON.parse(settings["aws:config:defaultTags"] ?? "{}").tags ?? {};
    },

    check({ type, name }, inputs, old, seed) {
      const { named } = rulesOf(type);
      const schema = schemaOf(type);
      const unsupported = Object.keys(inputs).filter((key) => !schema.inputs.has(key) && !key.startsWith("__"));
      if (unsupported.length > 0) throw new Error(`${type} has no input ${unsupported.join(", ")}`);
      const checked: Properties = Object.fromEntries(
        Object.entries(inputs).map(([key, value]) => [
          key,
          schema.outputs.get(key) === "string" ? asText(value) : value,
        ]),
      );
      checked.__defaults = [];
      if (named !== undefined && inputs[named] === undefined) {
        checked[named] = old[named] ?? `${name}-${seed.slice(0, 7)}`.toLowerCase();
        checked.__defaults = [named];
      }
      // The real provider merges the default tags, too, for each type that has tags.
      const tags = { ...defaultTags, ...inputs.tags };
      if (schema.inputs.has("tags") && Object.keys(tags).length > 0) checked.tags = tags;
      return checked;
    },

    diff({ type }, oldInputs, inputs) {
      const { named, replaces } = rulesOf(type);
      const changed = changedKeys(oldInputs, inputs);
      const replacing = changed.filter((key) => replaces.includes(key));
      const ownName = named !== undefined && !(inputs.__defaults ?? []).includes(named) && !changed.includes(named);
      return { changed, replaces: replacing, deleteFirst: replacing.length > 0 && ownName };
    },

    async create(subject, inputs, preview) {
      const rules = rulesOf(subject.type);
      const named = rules.named && inputs[rules.named];
      const id = named && !rules.shared ? named : `${subject.type.split(":").at(-1)}-${randomBytes(6).toString("hex")}`;
      const outputs = outputsOf(subject, id, inputs, preview);
      if (preview) return { id: "", outputs };
      cloud.mayFail(subject);
      if (cloud.find(subject.type, id)) throw new Error(`AlreadyExists: ${subject.type} ${id}`);
      assertMayExist(cloud, subject, inputs);
      await waitForCreation(subject);
      const server = mysqlServer.serverKindOf(subject.type);
      if (server) {
        const { username, masterUsername = username, password, masterPassword = password } = inputs;
        await mysqlServer.provision(mysqlServer.serverOf(server), masterUsername, masterPassword);
      }
      if (subject.type === invocation) await applySchema(inputs);
      if (subject.type === secretVersion) supersede(cloud, inputs.secretId);
      cloud.put({ ...subject, id, inputs, outputs });
      cloud.mayKillEngine(subject);
      return { id, outputs };
    },

    async update(subject, id, old, inputs, preview) {
      // Outputs whose inputs do not change keep AWS's values; inputs that were removed from the program are dropped.
      const { computed } = schemaOf(subject.type);
      const changed = changedKeys(old.inputs, inputs);
      const kept = ([key]: [string, unknown]) => !changed.includes(key) && (computed.has(key) || key in inputs);
      const outputs = {
        ...outputsOf(subject, id, inputs, preview),
        ...Object.fromEntries(Object.entries(old.outputs).filter(kept)),
        ...(inputs.tags === undefined ? {} : { tagsAll: inputs.tags }),
      };
      if (preview) return outputs;
      cloud.mayFail(subject);
      const thing = cloud.find(subject.type, id);
      if (thing === undefined) throw new Error(`NotFound: ${subject.type} ${id}`);
      assertMayExist(cloud, subject, inputs);
      cloud.put({ ...thing, inputs, outputs });
      return outputs;
    },

    async read({ type }, id, outputs) {
      // The real provider returns what the state has, since an invocation cannot be read.
      if (type === invocation) return outputs;
      return cloud.find(type, id)?.outputs;
    },

    // The test's server listens on some free port; an RDS instance listens on the requested port.
    unappliedInputs: { "aws:rds/instance:Instance": ["port"] },

    inputsOf: ({ type }, id) => cloud.find(type, id)?.inputs ?? {},

    async delete({ type }, id, state) {
      const thing = cloud.find(type, id);
      if (thing === undefined) return;
      if (type === secretVersion) removeLabels(thing, state);
      if (type === secret) for (const version of versionsOf(cloud, id)) cloud.remove(secretVersion, version.id);
      const { deletionProtection } = thing.inputs;
      if (deletionProtection === true || deletionProtection === "ACTIVE") {
        throw new Error(`InvalidParameter: deletion protection of ${type} ${id} is on`);
      }
      const user = cloud.things().find((other) => other.type !== invocation && refersTo(other, thing));
      if (user) throw new Error(`DependencyViolation: ${type} ${id} is still used by ${user.type} ${user.id}`);
      assertMayDelete(cloud, thing);
      const server = mysqlServer.serverKindOf(type);
      if (server) {
        await mysqlServer.clear(mysqlServer.serverOf(server));
        for (const other of cloud.things().filter(({ type }) => type === invocation))
          cloud.remove(invocation, other.id);
      }
      cloud.remove(type, id);
    },

    invoke(token, inputs) {
      if (token !== "aws:index/getAvailabilityZones:getAvailabilityZones") throw new Error(`${token} is not supported`);
      // Local Zones sort first, unless they are filtered out.
      const local = JSON.stringify(inputs.filters ?? []).includes("opt-in-not-required") ? [] : ["-bos-1a"];
      const zones = [...local, ...cloud.zones];
      const names = zones.map((zone) => region + zone);
      return { ...inputs, id: region, names, zoneIds: zones.map((zone) => `id-${zone}`), groupNames: [] };
    },
  };

  function placeholder(type: string, id: string, key: string, kind: string | undefined) {
    const [, module = ""] = type.split(/[:/]/);
    if (key === "arn") return `arn:aws:${module}:${region}:${account}:${id}`;
    return { number: 0, boolean: false, list: [], object: {} }[kind ?? ""] ?? `${key}-of-${id}`;
  }
}

/** Runs the function that an invocation calls on the server behind the database; without a server it does nothing. */
async function applySchema({ input }: Properties): Promise<void> {
  const hasServer = (["instance", "cluster"] as const).some((kind) => mysqlServer.serverOf(kind));
  if (hasServer) await createHandler()(JSON.parse(input), { getRemainingTimeInMillis: () => 60_000 });
}

function rulesOf(type: string): TypeRules {
  const rules = kinds[type];
  if (rules === undefined)
    throw new Error(`The stand-in does not support ${type}: add it to tests/engine/standin/kinds.ts`);
  return rules;
}

/** A program may pass a policy as an object; AWS gets it as a string. */
function asText(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const json = JSON.stringify(value);
  return json.includes(unknown) ? unknown : json;
}

/** Type of a database → the keys whose values may be its identifier. */
const identifyingKeys: Readonly<Record<string, RegExp>> = {
  "aws:rds/instance:Instance": /^(?!.*cluster)/i,
  "aws:rds/cluster:Cluster": /^(db)?clusterIdentifier$/i,
};

/** Whether an input of one resource is the other's identifier or ARN. */
function refersTo(user: Thing, used: Thing): boolean {
  // The output `arn` of a topic's policy is the topic's, and that of a secret's version the secret's: not their own.
  const references = [used.id, used.outputs.arn?.endsWith(used.id) ? used.outputs.arn : undefined].filter(Boolean);
  // An instance and a cluster may have the same name: the key decides which one it is.
  const fits = (key: string) => (identifyingKeys[used.type] ?? /^/).test(key);
  const contains = (value: unknown, key = ""): boolean =>
    typeof value === "string"
      ? references.includes(value) && fits(key)
      : typeof value === "object" &&
        value !== null &&
        Object.entries(value).some(([name, item]) => contains(item, Array.isArray(value) ? key : name));
  return `${user.type} ${user.id}` !== `${used.type} ${used.id}` && contains(user.inputs);
}
