import { matchesArn, matchesGlob } from "./glob";
import { type PolicyDocument, parsePolicy, type Statement } from "./policy";

/** The caller: a role or user by its ARN, an AWS service by its name, or an anonymous caller. */
export type Principal =
  | { readonly type: "AWS"; readonly arn: string }
  | { readonly type: "Service"; readonly name: string }
  | { readonly type: "Anonymous" };

/** One access to evaluate. */
export interface PolicyRequest {
  /** For example `s3:PutObject`; case does not matter. */
  readonly action: string;
  /** The ARN of the resource that the action applies to. */
  readonly resource: string;
  /** Required if a document names principals; a role's own documents name none. */
  readonly principal?: Principal;
  /** Condition keys, for example `aws:SourceArn`; a key that is not given is absent from the request. */
  readonly context?: Readonly<Record<string, string>>;
}

/** The result: `implicitDeny` is "no statement allows it", `explicitDeny` is "a statement denies it". */
export type Decision = "allow" | "implicitDeny" | "explicitDeny";

/**
 * Evaluates policy documents as AWS does for one account: a matching Deny wins, then a matching Allow; without
 * either the access is denied.
 * @throws PolicyError for a document that cannot be evaluated here; see `parsePolicy`.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
export function evaluate(documents: readonly PolicyDocument[], request: PolicyRequest): Decision {
  const matching = documents.flatMap((document) => parsePolicy(document)).filter((s) => applies(s, request));
  if (matching.some((statement) => statement.effect === "Deny")) return "explicitDeny";
  return matching.length > 0 ? "allow" : "implicitDeny";
}

function applies(statement: Statement, request: PolicyRequest): boolean {
  const action = request.action.toLowerCase();
  const actionNamed = statement.actions.some((pattern) => matchesGlob(pattern.toLowerCase(), action));
  if (actionNamed === statement.actionsExcluded) return false;
  if (statement.resources !== undefined) {
    const resourceNamed = statement.resources.some((pattern) => matchesArn(pattern, request.resource));
    if (resourceNamed === statement.resourcesExcluded) return false;
  }
  return includesPrincipal(statement.principals, request.principal) && conditionsHold(statement, request.context ?? {});
}

function includesPrincipal(principals: Statement["principals"], who: Principal | undefined): boolean {
  if (principals === undefined) return true;
  if (who === undefined) return false;
  if (who.type === "Service") return (principals.Service ?? []).some((name) => name === "*" || name === who.name);
  const arns = principals.AWS ?? [];
  if (who.type === "Anonymous") return arns.includes("*");
  // An account, by its number or by its root's ARN, means every principal of that account.
  const account = who.arn.split(":")[4];
  return arns.some((arn) => ["*", who.arn, account, `arn:aws:iam::${account}:root`].includes(arn));
}

type Test = (expected: string, actual: string) => boolean;

const tests: Readonly<Record<string, Test>> = {
  StringEquals: (expected, actual) => expected === actual,
  StringLike: matchesGlob,
  // AWS treats both alike: both accept wildcards.
  ArnEquals: matchesArn,
  ArnLike: matchesArn,
  Bool: (expected, actual) => expected.toLowerCase() === actual.toLowerCase(),
};

/** Every operator and key must match, by any one of its values. A key that the request lacks never matches. */
function conditionsHold(statement: Statement, context: Readonly<Record<string, string>>): boolean {
  const given = new Map(Object.entries(context).map(([key, value]) => [key.toLowerCase(), value]));
  return Object.entries(statement.conditions).every(([operator, keys]) =>
    Object.entries(keys).every(([key, expected]) => {
      const actual = given.get(key);
      return actual !== undefined && expected.some((value) => tests[operator]!(value, actual));
    }),
  );
}
