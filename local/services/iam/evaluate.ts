import { matchesArn, matchesGlob } from "./glob";
import { type PolicyDocument, parsePolicy, type Statement } from "./policy";

/** Who asks: a role or user by its ARN, an AWS service by its name, or nobody in particular. */
export type Principal =
  | { readonly type: "AWS"; readonly arn: string }
  | { readonly type: "Service"; readonly name: string }
  | { readonly type: "Anonymous" };

/** One question to the policies. */
export interface PolicyRequest {
  /** For example `s3:PutObject`; case does not matter. */
  readonly action: string;
  /** The ARN of what the action is done to. */
  readonly resource: string;
  /** Needed where a document names principals; a role's own documents do not. */
  readonly principal?: Principal;
  /** Condition keys, for example `aws:SourceArn`; a key that is not given is absent from the request. */
  readonly context?: Readonly<Record<string, string>>;
}

/** What the policies say: `implicitDeny` is "no statement allows it", `explicitDeny` is "a statement denies it". */
export type Decision = "allow" | "implicitDeny" | "explicitDeny";

/**
 * Evaluates policy documents as AWS does for one account: a matching Deny wins, else a matching Allow, else no.
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
  // An account, by number or by its root's ARN, stands for every principal of that account.
  const account = who.arn.split(":")[4];
  return arns.some((arn) => ["*", who.arn, account, `arn:aws:iam::${account}:root`].includes(arn));
}

type Test = (wanted: string, actual: string) => boolean;

const tests: Readonly<Record<string, Test>> = {
  StringEquals: (wanted, actual) => wanted === actual,
  StringLike: matchesGlob,
  // The two are the same for AWS: both take wildcards.
  ArnEquals: matchesArn,
  ArnLike: matchesArn,
  Bool: (wanted, actual) => wanted.toLowerCase() === actual.toLowerCase(),
};

/** All operators and keys must hold, any one value of each suffices; a key that the request lacks never holds. */
function conditionsHold(statement: Statement, context: Readonly<Record<string, string>>): boolean {
  const given = new Map(Object.entries(context).map(([key, value]) => [key.toLowerCase(), value]));
  return Object.entries(statement.conditions).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) => {
      const actual = given.get(key);
      return actual !== undefined && wanted.some((value) => tests[operator]!(value, actual));
    }),
  );
}
