/** Converts IAM's policy documents to one form, which rules can read. */

import { isRecord, unknown } from "./rule";

/** A statement with the effect `Allow`; its lists contain only known values. */
export interface Grant {
  readonly actions: readonly string[];
  /** Whether it lists what is excluded (`NotAction`, `NotResource`, `NotPrincipal`). */
  readonly inverted: boolean;
  readonly resources: readonly string[];
  /** `*`, ARNs, account numbers, service names. */
  readonly principals: readonly string[];
  /** The principals that are services, which act for every customer of AWS. */
  readonly services: readonly string[];
  /** Whether a condition limits who makes the request, or for whom a service makes it. */
  readonly narrowed: boolean;
}

/**
 * @param document JSON text or object; an absent or unknown document has no grants
 * @param narrowing condition keys that count as a limit, in lower case
 * @throws SyntaxError if the text is not JSON
 */
export function grantsOf(document: unknown, narrowing: ReadonlySet<string> = callerKeys): Grant[] {
  const parsed: unknown = typeof document === "string" ? JSON.parse(document) : document;
  if (!isRecord(parsed)) return [];
  return [parsed.Statement]
    .flat()
    .filter(isRecord)
    .filter(({ Effect }) => Effect === "Allow")
    .map((statement) => ({
      actions: texts(statement.Action),
      inverted: ["NotAction", "NotResource", "NotPrincipal"].some((key) => statement[key] !== undefined),
      resources: texts(statement.Resource),
      principals: isRecord(statement.Principal)
        ? Object.values(statement.Principal).flatMap(texts)
        : texts(statement.Principal),
      services: isRecord(statement.Principal) ? texts(statement.Principal.Service) : [],
      narrowed: narrows(statement.Condition, narrowing),
    }));
}

/**
 * Whether the pattern matches everything: `*`, everything after some part of the ARN (`arn:aws:*`), every resource of a
 * service (`arn:aws:s3:::*`) or of a kind (`arn:…:function:*`).
 */
export function isAnything(pattern: string): boolean {
  const [, , service = "", , account, ...named] = pattern.split(":");
  if (!pattern.startsWith("arn:")) return onlyWild.test(pattern);
  // A wildcard also matches colons.
  if (account === undefined || named.length === 0) return /[*?]/.test(pattern);
  const name = named.join(":");
  return onlyWild.test(withoutKind.has(service) ? name : name.replace(/^[^:/]+[:/]/, ""));
}

/** A range of all IPv4 or IPv6 addresses. */
const everyAddress = /^[\d.:a-f]+\/0+$/i;
const onlyWild = /^[:/]*[*?][*?:/]*$/;
/** Services whose ARNs end with the resource's name, without `kind:` or `kind/` before it. */
const withoutKind = new Set(["execute-api", "s3", "sns", "sqs"]);

/**
 * Whether the value of a condition key identifies a caller; an unknown value passes. An ARN does if its account is
 * given, or, for an ARN without account such as a bucket's, if its name is.
 */
export function identifiesCaller(value: unknown): boolean {
  if (value === unknown) return true;
  if (typeof value !== "string" || everyAddress.test(value)) return false;
  const account = value.startsWith("arn:") ? value.split(":")[4] : "";
  return account === "" ? !isAnything(value) : account !== undefined && !/[*?]/.test(account);
}

const lowerCase = (prefix: string, keys: readonly string[]) => keys.map((key) => `${prefix}:${key}`.toLowerCase());

/**
 * Condition keys that identify the caller, or the source for which a service calls. Not listed: how the call is made
 * (`aws:SecureTransport`), and values that a caller can choose freely.
 */
const callerKeys: ReadonlySet<string> = new Set([
  ...lowerCase("aws", ["PrincipalAccount", "PrincipalArn", "PrincipalOrgID", "PrincipalOrgPaths"]),
  ...lowerCase("aws", ["SourceAccount", "SourceArn", "SourceOrgID", "SourceOrgPaths", "SourceVpc", "SourceVpce"]),
  ...lowerCase("aws", ["SourceIp", "SourceOwner"]),
  ...lowerCase("kms", ["CallerAccount"]),
  ...lowerCase("s3", ["DataAccessPointAccount", "DataAccessPointArn"]),
]);

/** For a VPC endpoint the target counts too: a limit to accounts prevents copying data to a foreign account. */
export const callerOrTargetKeys: ReadonlySet<string> = new Set([
  ...callerKeys,
  ...lowerCase("aws", ["ResourceAccount", "ResourceOrgID", "ResourceOrgPaths"]),
]);

/**
 * Condition operators that match only if the key is present with one of the values. `…Not…`, `…IfExists` and
 * `ForAllValues` also match without the key.
 */
const positive = /^(ForAnyValue:)?(String(Equals|EqualsIgnoreCase|Like)|Arn(Equals|Like)|IpAddress)$/i;

function narrows(condition: unknown, narrowing: ReadonlySet<string>): boolean {
  if (condition === unknown) return true;
  if (!isRecord(condition)) return false;
  return Object.entries(condition).some(
    ([operator, keys]) =>
      positive.test(operator) &&
      isRecord(keys) &&
      Object.entries(keys).some(
        ([key, values]) =>
          narrowing.has(key.toLowerCase()) && [values].flat().every((value) => identifiesCaller(value)),
      ),
  );
}

const texts = (value: unknown): string[] => [value].flat().filter((item) => typeof item === "string");
