import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isPublic } from "../../../../local/services/s3/access";
import { ObjectStore } from "../../../../local/services/s3/objectStore";
import { oneRole, publicRead, register, testContext } from "./store";

let context: ReturnType<typeof testContext>;
let store: ObjectStore;
const bucket = "a-bucket";

beforeEach(async () => {
  context = testContext();
  store = new ObjectStore(context, oneRole);
  await register(store, "aws:s3/bucket:Bucket", "images", { bucket });
});

afterEach(async () => {
  await store.close();
  context.remove();
});

const block = (inputs: Record<string, unknown>) =>
  register(store, "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "images", { bucket, ...inputs });
const policy = (document: unknown) =>
  register(store, "aws:s3/bucketPolicy:BucketPolicy", "images", { bucket, policy: document });

describe("a public policy", () => {
  it("is refused by the default public-access block of a new bucket", async () => {
    await expect(policy(publicRead(bucket))).rejects.toThrow(/AccessDenied.*BlockPublicPolicy/);
  });

  it("is refused by a block with blockPublicPolicy", async () => {
    await block({ blockPublicPolicy: true });
    await expect(policy(publicRead(bucket))).rejects.toThrow(/AccessDenied/);
  });

  it("is accepted if the block allows it", async () => {
    await block({ blockPublicPolicy: false });
    expect(await policy(publicRead(bucket))).toMatchObject({ id: bucket });
  });
});

describe("what counts as public", () => {
  const statement = publicRead(bucket).Statement[0]!;
  it.each([
    ["everybody", {}, true],
    ["everybody, in the other spelling", { Principal: { AWS: "*" } }, true],
    ["an account", { Principal: { AWS: "123456789012" } }, false],
    ["a denial", { Effect: "Deny" }, false],
    ["one organisation", { Condition: { StringEquals: { "aws:PrincipalOrgID": "o-1" } } }, false],
    ["any organisation", { Condition: { StringLike: { "aws:PrincipalOrgID": "*" } } }, true],
    ["anybody over TLS", { Condition: { Bool: { "aws:SecureTransport": "true" } } }, true],
  ])("%s → %s", (_, change, expected) => {
    expect(isPublic({ Version: "2012-10-17", Statement: [{ ...statement, ...change }] })).toBe(expected);
  });
});

describe("refused by name", () => {
  it.each([
    ["aws:s3/bucket:Bucket", { bucket: "b-2", acl: "public-read" }, /the input acl is not simulated/],
    ["aws:s3/bucket:Bucket", { bucket: "b-2", objectLockEnabled: true }, /objectLockEnabled is true/],
    ["aws:s3/bucket:Bucket", { bucket: "b-2", region: "eu-west-1" }, /region is "eu-west-1".*us-east-1/],
    ["aws:s3/bucket:Bucket", { bucket: "Capital" }, /InvalidBucketName/],
    ["aws:s3/bucket:Bucket", { bucket: ".." }, /InvalidBucketName/],
    ["aws:s3/bucket:Bucket", { bucket: "a..b" }, /InvalidBucketName/],
    ["aws:s3/bucket:Bucket", { bucket }, /registered twice/],
    [
      "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
      { bucket, rule: { objectOwnership: "ObjectWriter" } },
      /ObjectWriter.*BucketOwnerEnforced/,
    ],
    [
      "aws:s3/bucketVersioning:BucketVersioning",
      { bucket, versioningConfiguration: { status: "Enabled" } },
      /versioningConfiguration is {"status":"Enabled"}/,
    ],
    [
      "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
      { bucket, rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms" } }] },
      /aws:kms.*AES256/,
    ],
    [
      "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
      { bucket, rules: [{ id: "x", status: "Enabled", expiration: { days: 1 } }] },
      /the input expiration is not simulated/,
    ],
    ["aws:s3/bucketPolicy:BucketPolicy", { bucket: "nowhere", policy: "{}" }, /NoSuchBucket.*buckets: a-bucket/],
    ["aws:s3/bucketPolicy:BucketPolicy", { bucket, policy: "{" }, /MalformedPolicy/],
    ["aws:s3/bucketPolicy:BucketPolicy", { bucket, policy: publicRead("another") }, /Policy has invalid resource/],
  ])("%s %j", async (type, inputs, message) => {
    await expect(register(store, type, "images", inputs)).rejects.toThrow(message);
  });
});

it("a bucket without a name gets the same one at each start, and AWS's outputs", async () => {
  const result = await register(store, "aws:s3/bucket:Bucket", "pictures", {});
  expect(result.bucket).toMatch(/^pictures-[0-9a-f]{7}$/);
  expect(result.arn).toBe(`arn:aws:s3:::${result.bucket}`);
  const again = new ObjectStore(context, oneRole);
  expect(await register(again, "aws:s3/bucket:Bucket", "pictures", {})).toEqual(result);
  await again.close();
});
