import { provisioningError, type ResourceRegistration } from "../../../host/resources";
import { arnParts } from "./glob";

/** A policy document as programs write it: JSON text, or the object. */
export type PolicyDocument = string | object;

/** A statement in one format: a single value becomes a list. */
export interface Statement {
  readonly sid?: string;
  readonly effect: "Allow" | "Deny";
  readonly actions: readonly string[];
  /** True for `NotAction`: the statement applies to all actions except `actions`. */
  readonly actionsExcluded: boolean;
  /** Absent in a trust policy, which applies to the role that it belongs to. */
  readonly resources?: readonly string[];
  readonly resourcesExcluded: boolean;
  /** Absent in a policy of a role; `*` is written `{ AWS: ["*"], Service: ["*"] }`. */
  readonly principals?: Readonly<Record<string, readonly string[]>>;
  /** Operator → condition key in lower case → allowed values. */
  readonly conditions: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

/** `identity`: a role's policy; `resource`: the policy of a protected resource; `trust`: a role's trust policy. */
export type PolicyKind = "identity" | "resource" | "trust";

/** A policy document that AWS would refuse, or that this machine cannot evaluate. */
export class PolicyError extends Error {
  override readonly name = "PolicyError";
}

const conditionOperators = ["StringEquals", "StringLike", "ArnEquals", "ArnLike", "Bool"] as const;

const statementKeys = new Set(
  "Sid Effect Action NotAction Resource NotResource Principal NotPrincipal Condition".split(" "),
);

/**
 * Reads a policy document into statements.
 * @param kind if given, principals and resources must be present exactly where this kind of policy has them.
 * @throws PolicyError for a document that AWS calls malformed, and for `NotPrincipal`, policy variables and condition
 * operators that are not evaluated here: a guess could allow what AWS denies.
 */
export function parsePolicy(document: PolicyDocument, kind?: PolicyKind): Statement[] {
  const policy = asObject(typeof document === "string" ? parseJson(document) : document, "The policy");
  if (policy.Version !== "2012-10-17" && policy.Version !== "2008-10-17" && policy.Version !== undefined) {
    throw new PolicyError(`Version is ${JSON.stringify(policy.Version)}; allowed: "2012-10-17".`);
  }
  const statements = Array.isArray(policy.Statement) ? policy.Statement : [policy.Statement];
  return statements.map((statement, i) =>
    parseStatement(asObject(statement, `Statement[${i}]`), `Statement[${i}]`, kind),
  );
}

/**
 * Checks the policy document of a registered resource and returns it. So an invalid document fails the start and not
 * the first request.
 * @param where the input that holds it, for example `assumeRolePolicy`
 * @throws CommandError
 */
export function checkedPolicy(
  resource: ResourceRegistration,
  where: string,
  document: unknown,
  kind: PolicyKind,
): PolicyDocument {
  try {
    parsePolicy(document as PolicyDocument, kind);
    return document as PolicyDocument;
  } catch (error) {
    if (error instanceof PolicyError) throw provisioningError(resource, `${where}: ${error.message}`, error);
    throw error;
  }
}

function parseStatement(raw: Record<string, unknown>, at: string, kind?: PolicyKind): Statement {
  const unknown = Object.keys(raw).find((key) => !statementKeys.has(key));
  if (unknown !== undefined) throw new PolicyError(`${at} has the unknown element ${unknown}.`);
  if (raw.Effect !== "Allow" && raw.Effect !== "Deny") {
    throw new PolicyError(`${at}.Effect is ${JSON.stringify(raw.Effect)}; allowed: "Allow" or "Deny".`);
  }
  if (raw.NotPrincipal !== undefined) throw new PolicyError(`${at}.NotPrincipal is not evaluated on this machine.`);
  const [actions, actionsExcluded] = either(raw, "Action", at);
  const [resources, resourcesExcluded] = either(raw, "Resource", at);
  const principals = raw.Principal === undefined ? undefined : parsePrincipals(raw.Principal, `${at}.Principal`);
  if (actions === undefined) throw new PolicyError(`${at} has neither Action nor NotAction.`);
  checkActions(actions, at);
  checkResources(resources ?? [], at);
  checkKind({ at, kind, hasResources: resources !== undefined, hasPrincipals: principals !== undefined });
  return {
    sid: typeof raw.Sid === "string" ? raw.Sid : undefined,
    effect: raw.Effect,
    actions,
    actionsExcluded,
    resources,
    resourcesExcluded,
    principals,
    conditions: parseConditions(raw.Condition ?? {}, `${at}.Condition`),
  };
}

function checkActions(actions: readonly string[], at: string): void {
  for (const action of actions) {
    if (action !== "*" && !/^[a-z0-9-]+:[a-z0-9*?]+$/i.test(action)) {
      throw new PolicyError(`${at}: the action ${JSON.stringify(action)} is not "*" or of the form service:Action.`);
    }
  }
}

function checkResources(resources: readonly string[], at: string): void {
  for (const resource of resources) {
    if (resource !== "*" && arnParts(resource) === undefined) {
      throw new PolicyError(`${at}: the resource ${JSON.stringify(resource)} must be in ARN format or "*".`);
    }
    if (resource.includes("${")) throw new PolicyError(`${at}: policy variables (${resource}) are not evaluated here.`);
  }
}

function checkKind(has: { at: string; kind?: PolicyKind; hasResources: boolean; hasPrincipals: boolean }): void {
  const { at, kind, hasResources, hasPrincipals } = has;
  if (kind === "identity" && hasPrincipals) throw new PolicyError(`${at}: a policy of a role has no Principal.`);
  if (kind === "trust" && hasResources) throw new PolicyError(`${at}: a trust policy has no Resource.`);
  if ((kind === "trust" || kind === "resource") && !hasPrincipals) throw new PolicyError(`${at} needs a Principal.`);
  if (kind !== "trust" && !hasResources && (kind !== undefined || !hasPrincipals)) {
    throw new PolicyError(`${at} needs a Resource.`);
  }
}

/** The values of `Action` or `NotAction` (likewise for other keys), and whether the key was the one with `Not`. */
function either(raw: Record<string, unknown>, key: string, at: string): [string[] | undefined, boolean] {
  const [is, not] = [raw[key], raw[`Not${key}`]];
  if (is !== undefined && not !== undefined) throw new PolicyError(`${at} has both ${key} and Not${key}.`);
  if (is !== undefined) return [strings(is, `${at}.${key}`), false];
  return [not === undefined ? undefined : strings(not, `${at}.Not${key}`), not !== undefined];
}

function parsePrincipals(raw: unknown, at: string): Record<string, string[]> {
  if (raw === "*") return { AWS: ["*"], Service: ["*"] };
  const principals = Object.entries(asObject(raw, at));
  const unknown = principals.find(([type]) => type !== "AWS" && type !== "Service");
  if (unknown) throw new PolicyError(`${at} names ${unknown[0]}; evaluated on this machine: "*", AWS and Service.`);
  return Object.fromEntries(principals.map(([type, ids]) => [type, strings(ids, `${at}.${type}`)]));
}

function parseConditions(raw: unknown, at: string): Statement["conditions"] {
  return Object.fromEntries(
    Object.entries(asObject(raw, at)).map(([operator, keys]) => {
      if (!(conditionOperators as readonly string[]).includes(operator)) {
        const allowed = conditionOperators.join(", ");
        throw new PolicyError(
          `${at}: the operator ${operator} is not evaluated on this machine; evaluated: ${allowed}.`,
        );
      }
      const entries = Object.entries(asObject(keys, `${at}.${operator}`));
      return [
        operator,
        Object.fromEntries(entries.map(([k, v]) => [k.toLowerCase(), values(v, `${at}.${operator}.${k}`)])),
      ];
    }),
  );
}

/** Condition values may also be booleans; a policy variable is refused here too. */
function values(raw: unknown, at: string): string[] {
  const list = (Array.isArray(raw) ? raw : [raw]).map((value) => (typeof value === "boolean" ? String(value) : value));
  const texts = strings(list, at);
  const variable = texts.find((text) => text.includes("${"));
  if (variable) throw new PolicyError(`${at}: policy variables (${variable}) are not evaluated here.`);
  return texts;
}

function strings(raw: unknown, at: string): string[] {
  const list: unknown[] = Array.isArray(raw) ? raw : [raw];
  if (list.length === 0) throw new PolicyError(`${at} is empty.`);
  return list.map((item) => {
    if (typeof item !== "string") throw new PolicyError(`${at} is ${JSON.stringify(item)}; allowed: a string.`);
    return item;
  });
}

function asObject(raw: unknown, at: string): Record<string, unknown> {
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) {
    throw new PolicyError(`${at} is ${JSON.stringify(raw) ?? "missing"}; allowed: an object.`);
  }
  return raw as Record<string, unknown>;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new PolicyError(`The policy is not JSON: ${(error as Error).message}`);
  }
}
