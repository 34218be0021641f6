import { evaluate } from "../iam/evaluate";
import { type PolicyDocument, PolicyError, parsePolicy, type Statement } from "../iam/policy";

/** The caller of the object store. */
export type S3Caller = { readonly kind: "anonymous" } | { readonly kind: "role"; readonly arn: string };

/** Evaluates the policies of roles; implemented by `Iam` (`local/services/iam/iam.ts`). */
export interface Roles {
  authorize(
    roleArn: string,
    action: string,
    resource: string,
    context?: Readonly<Record<string, string>>,
  ): { readonly allowed: boolean; readonly reason: string };
}

/** The four settings of a bucket's public-access block. */
export interface PublicAccessBlock {
  readonly blockPublicAcls: boolean;
  readonly ignorePublicAcls: boolean;
  readonly blockPublicPolicy: boolean;
  readonly restrictPublicBuckets: boolean;
}

/** The settings that decide who may use a bucket. */
export interface BucketAccess {
  readonly bucket: string;
  readonly policy?: PolicyDocument;
  readonly block: PublicAccessBlock;
}

/**
 * Requests arrive here over plain HTTP on the loopback interface; on AWS clients use S3's HTTPS endpoint. A policy that
 * denies plain HTTP must not deny them here, so every request counts as secure.
 */
const context = { "aws:SecureTransport": "true" };

/**
 * Whether a bucket's policies allow an action, for example `s3:GetObject`, on the bucket (no key) or an object.
 *
 * A role needs a policy of its own that allows the action; the bucket's policy can only deny it. (On AWS a public
 * bucket policy also allows a role without policies. Not here, so that the role's own policies are tested.)
 */
export function isAllowed(
  access: BucketAccess,
  roles: Roles,
  principal: S3Caller,
  action: string,
  key?: string,
): boolean {
  const resource = `arn:aws:s3:::${access.bucket}${key === undefined ? "" : `/${key}`}`;
  const documents = access.policy === undefined ? [] : [access.policy];
  if (principal.kind === "role") {
    const who = { type: "AWS", arn: principal.arn } as const;
    const byBucket = evaluate(documents, { action, resource, principal: who, context });
    return byBucket !== "explicitDeny" && roles.authorize(principal.arn, action, resource, context).allowed;
  }
  if (access.block.restrictPublicBuckets && access.policy !== undefined && isPublic(access.policy)) return false;
  return evaluate(documents, { action, resource, principal: { type: "Anonymous" }, context }) === "allow";
}

/** Condition keys that make a policy non-public if the condition compares them with fixed values. */
const narrowing = new Set(
  [
    "aws:PrincipalAccount aws:PrincipalArn aws:PrincipalOrgID aws:PrincipalOrgPaths aws:SourceAccount aws:SourceArn",
    "aws:SourceIp aws:SourceOrgID aws:SourceOwner aws:SourceVpc aws:SourceVpce aws:userid aws:VpcSourceIp",
    "s3:DataAccessPointAccount s3:DataAccessPointArn s3:x-amz-server-side-encryption-aws-kms-key-id",
  ]
    .join(" ")
    .toLowerCase()
    .split(" "),
);

/**
 * Whether S3 counts a policy as public: it allows something to everybody, and no condition limits that to fixed values.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
 */
export function isPublic(policy: PolicyDocument): boolean {
  return parsePolicy(policy, "resource").some(
    (statement) =>
      statement.effect === "Allow" && statement.principals?.AWS?.includes("*") === true && !isNarrowed(statement),
  );
}

function isNarrowed(statement: Statement): boolean {
  return Object.values(statement.conditions).some((keys) =>
    Object.entries(keys).some(([key, values]) => narrowing.has(key) && !values.some((value) => /[*?]/.test(value))),
  );
}

/**
 * Makes the checks of S3's PutBucketPolicy.
 * @throws PolicyError `MalformedPolicy`, or `AccessDenied` if the public-access block forbids a public policy
 */
export function checkBucketPolicy(access: BucketAccess, policy: PolicyDocument): void {
  const own = `arn:aws:s3:::${access.bucket}`;
  for (const statement of parsePolicy(policy, "resource")) {
    const foreign = statement.resources?.find((resource) => resource !== own && !resource.startsWith(`${own}/`));
    if (foreign !== undefined) {
      throw new PolicyError(`MalformedPolicy: Policy has invalid resource ${foreign}; allowed: ${own} and ${own}/…`);
    }
    const action = statement.actions.find((one) => one !== "*" && !one.toLowerCase().startsWith("s3:"));
    if (action !== undefined) throw new PolicyError(`MalformedPolicy: Policy has invalid action ${action}`);
  }
  if (access.block.blockPublicPolicy && isPublic(policy)) {
    throw new PolicyError(
      `AccessDenied: s3:PutBucketPolicy on ${own} is refused because public policies are blocked by the ` +
        "BlockPublicPolicy setting in S3 Block Public Access; let the policy depend on the public-access block that allows it",
    );
  }
}
