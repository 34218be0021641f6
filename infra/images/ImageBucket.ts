import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

export interface ImageBucketArgs {
  /** Physical name, unique in all of AWS. A change replaces the bucket and loses the pictures. */
  bucketName: string;
  /** Pulumi's `protect`; without it a bucket is emptied when it is deleted. @default true */
  protect?: boolean;
}

/**
 * The bucket for product images (S7): ACLs disabled, public access not blocked, versioning and object lock off, SSE-S3
 * with the bucket key, and a policy by which anyone may get any object. The documents require public pictures;
 * no policy allows listing the bucket.
 */
export class ImageBucket extends pulumi.ComponentResource {
  readonly bucketName: pulumi.Output<string>;
  readonly arn: pulumi.Output<string>;
  /** Public address of the objects. */
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: ImageBucketArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ecommerce:images:ImageBucket", name, {}, opts);
    const protect = args.protect ?? true;
    const parent = { parent: this };

    const bucket = new aws.s3.Bucket(
      name,
      { bucket: args.bucketName, objectLockEnabled: false, forceDestroy: !protect },
      { parent: this, protect },
    );
    new aws.s3.BucketOwnershipControls(
      `${name}-ownership`,
      { bucket: bucket.id, rule: { objectOwnership: "BucketOwnerEnforced" } },
      parent,
    );
    new aws.s3.BucketVersioning(
      `${name}-versioning`,
      { bucket: bucket.id, versioningConfiguration: { status: "Disabled" } },
      parent,
    );
    new aws.s3.BucketServerSideEncryptionConfiguration(
      `${name}-encryption`,
      {
        bucket: bucket.id,
        rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" }, bucketKeyEnabled: true }],
      },
      parent,
    );
    const access = new aws.s3.BucketPublicAccessBlock(
      `${name}-access`,
      {
        bucket: bucket.id,
        blockPublicAcls: false,
        blockPublicPolicy: false,
        ignorePublicAcls: false,
        restrictPublicBuckets: false,
      },
      parent,
    );
    new aws.s3.BucketPolicy(
      `${name}-policy`,
      {
        bucket: bucket.id,
        policy: {
          Version: "2012-10-17",
          Statement: [
            {
              Sid: "AnyoneMayGet",
              Effect: "Allow",
              Principal: "*",
              Action: "s3:GetObject",
              Resource: pulumi.interpolate`${bucket.arn}/*`,
            },
          ],
        },
      },
      // New buckets block public policies until this setting allows them.
      { parent: this, dependsOn: [access] },
    );

    this.bucketName = bucket.id;
    this.arn = bucket.arn;
    this.url = pulumi.interpolate`https://${bucket.bucketRegionalDomainName}`;
    this.registerOutputs({ bucketName: this.bucketName, arn: this.arn, url: this.url });
  }
}
