/** IAM's policy documents, in the one form that rules can read. */

import { isRecord, unknown } from "./rule";

/** A statement that allows something; lists hold only what is known. */
export interface Grant {
  readonly actions: readonly string[];
  /** Whether it is written as "everything but" (`NotAction`, `NotResource`, `NotPrincipal`). */
  readonly inverted: boolean;
  readonly resources: readonly string[];
  /** `*`, ARNs, account numbers, service names. */
  readonly principals: readonly string[];
  /** Those of them that are services, which act for every customer of AWS. */
  readonly services: readonly string[];
  /** Whether a condition names who comes, or for whom. */
  readonly narrowed: boolean;
}

/**
 * @param document JSON text or object; nothing is read from one that is absent or unknown
 * @param narrowing keys of conditions that narrow, in lower case
 * @throws SyntaxError where the text is not JSON
 */
export function grantsOf(document: unknown, narrowing: ReadonlySet<string> = whoComes): Grant[] {
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
 * Whether the pattern leaves everything open: `*`, everything from some part of the ARN on (`arn:aws:*`), every resource
 * of a service (`arn:aws:s3:::*`) or of a kind (`arn:…:function:*`).
 */
export function isAnything(pattern: string): boolean {
  const [, , service = "", , account, ...named] = pattern.split(":");
  if (!pattern.startsWith("arn:")) return onlyWild.test(pattern);
  // A wildcard reaches over colons.
  if (account === undefined || named.length === 0) return /[*?]/.test(pattern);
  const name = named.join(":");
  return onlyWild.test(withoutKind.has(service) ? name : name.replace(/^[^:/]+[:/]/, ""));
}

/** As a range of IPv4 or IPv6. */
const everyAddress = /^[\d.:a-f]+\/0+$/i;
const onlyWild = /^[:/]*[*?][*?:/]*$/;
/** Services whose ARNs name the resource at once, without `kind:` or `kind/` before it. */
const withoutKind = new Set(["execute-api", "s3", "sns", "sqs"]);

/**
 * Whether the value fixes somebody; an unknown one may. An ARN does by its account, and without one, as a bucket's, by its
 * name.
 */
export function fixes(value: unknown): boolean {
  if (value === unknown) return true;
  if (typeof value !== "string" || everyAddress.test(value)) return false;
  const account = value.startsWith("arn:") ? value.split(":")[4] : "";
  return account === "" ? !isAnything(value) : account !== undefined && !/[*?]/.test(account);
}

const lowerCase = (prefix: string, keys: readonly string[]) => keys.map((key) => `${prefix}:${key}`.toLowerCase());

/** Keys that say who comes, or for whom a service does. Not how (`aws:SecureTransport`), nor what anybody may tell of himself. */
const whoComes: ReadonlySet<string> = new Set([
  ...lowerCase("aws", ["PrincipalAccount", "PrincipalArn", "PrincipalOrgID", "PrincipalOrgPaths"]),
  ...lowerCase("aws", ["SourceAccount", "SourceArn", "SourceOrgID", "SourceOrgPaths", "SourceVpc", "SourceVpce"]),
  ...lowerCase("aws", ["SourceIp", "SourceOwner"]),
  ...lowerCase("kms", ["CallerAccount"]),
  ...lowerCase("s3", ["DataAccessPointAccount", "DataAccessPointArn"]),
]);

/** A VPC endpoint also is narrowed by what it leads to: nobody can carry data to an account of his own. */
export const whoComesOrWhere: ReadonlySet<string> = new Set([
  ...whoComes,
  ...lowerCase("aws", ["ResourceAccount", "ResourceOrgID", "ResourceOrgPaths"]),
]);

/** Those that hold only where the key is there and has one of the values; `…Not…`, `…IfExists` and `ForAllValues` do not. */
const positive = /^(ForAnyValue:)?(String(Equals|EqualsIgnoreCase|Like)|Arn(Equals|Like)|IpAddress)$/i;

function narrows(condition: unknown, narrowing: ReadonlySet<string>): boolean {
  if (condition === unknown) return true;
  if (!isRecord(condition)) return false;
  return Object.entries(condition).some(
    ([operator, keys]) =>
      positive.test(operator) &&
      isRecord(keys) &&
      Object.entries(keys).some(
        ([key, values]) => narrowing.has(key.toLowerCase()) && [values].flat().every((value) => fixes(value)),
      ),
  );
}

const texts = (value: unknown): string[] => [value].flat().filter((item) => typeof item === "string");
