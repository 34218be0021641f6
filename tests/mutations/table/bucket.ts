/** The bucket and the role of the API (S7, S8). */
import { change, omit, postpone } from "../changes";
import type { Mutation } from "../mutation";

const block = "s3/bucketPublicAccessBlock:BucketPublicAccessBlock";
const bucketPolicy = "s3/bucketPolicy:BucketPolicy";
const role = "iam/role:Role image-api-role";
const s3Policy = "iam/rolePolicy:RolePolicy image-api-role-ecommerce-s3-policy";

/** The policy's only statement, with others in place of its fields. */
const statement = (target: string, others: object | ((one: any) => object)) =>
  change(target, ({ policy: { Version, Statement } }) => ({
    policy: {
      Version,
      Statement: Statement.map((one: object) => ({ ...one, ...(typeof others === "function" ? others(one) : others) })),
    },
  }));

export const bucket: readonly Mutation[] = [
  {
    name: "no bucket policy",
    onAws: "nobody sees a picture: 403",
    change: omit(bucketPolicy),
    caughtBy: { story: "public picture", says: "403" },
  },
  {
    name: "the bucket policy names the bucket, not its objects",
    onAws: "PutBucketPolicy is refused: the action does not apply to any resource",
    change: statement(bucketPolicy, ({ Resource }) => ({ Resource: Resource.replace(/\/\*$/, "") })),
    caughtBy: { story: "public picture", says: "403" },
  },
  {
    name: "the bucket policy allows another action",
    onAws: "anyone may delete pictures, and nobody sees one",
    change: statement(bucketPolicy, { Action: "s3:DeleteObject" }),
    caughtBy: { story: "public picture", says: "403" },
  },
  {
    name: "the bucket policy allows everything",
    onAws: "anyone may put, delete and list objects",
    change: statement(bucketPolicy, ({ Resource }) => ({
      Action: "s3:*",
      Resource: [Resource, Resource.slice(0, -2)],
    })),
    caughtBy: { story: "nothing but reading" },
  },
  {
    name: "the bucket policy is for one account",
    onAws: "nobody without credentials sees a picture",
    change: statement(bucketPolicy, { Principal: { AWS: "arn:aws:iam::000000000000:root" } }),
    caughtBy: { story: "public picture", says: "403" },
  },
  {
    name: "no public-access block",
    onAws: "a new bucket blocks public policies: PutBucketPolicy is refused",
    change: omit(block),
    caughtBy: { start: "BlockPublicPolicy" },
  },
  {
    name: "public policies are blocked",
    onAws: "PutBucketPolicy is refused",
    change: change(block, { blockPublicPolicy: true }),
    caughtBy: { start: "BlockPublicPolicy" },
  },
  {
    name: "public buckets are restricted",
    onAws: "the policy stands, and nobody sees a picture",
    change: change(block, { restrictPublicBuckets: true }),
    caughtBy: { story: "public picture", says: "403" },
  },
  {
    name: "the policy comes before the public-access block",
    onAws: "PutBucketPolicy is refused, at the first `pulumi up` only",
    change: postpone(block, bucketPolicy),
    caughtBy: { start: "BlockPublicPolicy" },
  },
  {
    name: "ACLs enabled",
    onAws: "works; who uploads owns the picture",
    change: change("s3/bucketOwnershipControls:BucketOwnershipControls", { rule: { objectOwnership: "ObjectWriter" } }),
    caughtBy: { start: "ObjectWriter" },
  },
  {
    name: "versioning on",
    onAws: "works; every overwritten picture stays and is paid for",
    change: change("s3/bucketVersioning:BucketVersioning", { versioningConfiguration: { status: "Enabled" } }),
    caughtBy: { start: "versioningConfiguration" },
  },
  {
    name: "encryption with KMS",
    onAws: "anonymous readers get 400: KMS wants signed requests",
    change: change("s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration", {
      rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms" }, bucketKeyEnabled: true }],
    }),
    caughtBy: { start: "aws:kms" },
  },
  {
    name: "no bucket key",
    onAws: "works, and is not what the documents say",
    change: change("s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration", {
      rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" }, bucketKeyEnabled: false }],
    }),
    caughtBy: { row: "S7" },
  },
  {
    name: "the API's role is Lambda's",
    onAws: "every request for a picture is 500: API Gateway cannot assume the role",
    change: change(role, {
      assumeRolePolicy: {
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "lambda.amazonaws.com" } }],
      },
    }),
    caughtBy: { story: "upload", says: "Internal server error" },
  },
  {
    name: "the API's role may not put objects",
    onAws: "uploads are 403",
    change: statement(s3Policy, { Action: ["s3:GetObject"] }),
    caughtBy: { story: "upload", says: "AccessDenied" },
  },
  {
    name: "the API's role may not get objects",
    onAws: "works while the bucket's policy lets everyone get them, and not without it",
    change: statement(s3Policy, { Action: ["s3:PutObject"] }),
    caughtBy: { story: "download", says: "AccessDenied" },
  },
  {
    name: "the API's role may use the bucket, not its objects",
    onAws: "uploads are 403",
    change: statement(s3Policy, ({ Resource }) => ({ Resource: Resource.replace(/\/\*$/, "") })),
    caughtBy: { story: "upload", says: "AccessDenied" },
  },
  {
    name: "the API's role may use another bucket's objects",
    onAws: "uploads are 403",
    change: statement(s3Policy, { Resource: "arn:aws:s3:::another-bucket/*" }),
    caughtBy: { story: "upload", says: "AccessDenied" },
  },
  {
    name: "the API's role may not push logs",
    onAws: "no log of the API in CloudWatch, where logging is on",
    change: omit("iam/rolePolicyAttachment:RolePolicyAttachment image-api-role-logs"),
    caughtBy: { row: "S8" },
  },
];
