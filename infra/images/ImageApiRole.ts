import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { trustPolicy } from "../lambda/trustPolicy";

export interface ImageApiRoleArgs {
  /** Physical name. Replaces the role. */
  roleName: string;
  /** ARN of the bucket in which the API puts and gets objects. */
  bucketArn: pulumi.Input<string>;
  /** Make this the role with which API Gateway writes logs, in the whole account and region. @default false */
  accountLogRole?: boolean;
}

/**
 * The role `ecommerce-api-gateway-to-s3` (S8), which API Gateway assumes to call S3: it pushes logs to CloudWatch,
 * puts and gets the bucket's objects (`ecommerce-s3-policy`), and, as documented, lists, reads, writes and tags in
 * Cognito Identity (`ecommerce-cognito-policy`).
 */
export class ImageApiRole extends pulumi.ComponentResource {
  /** Resolved once all of the role's policies exist. */
  readonly arn: pulumi.Output<string>;
  /** The account's setting that lets API Gateway write logs; undefined without `accountLogRole`. */
  readonly account: aws.apigateway.Account | undefined;

  constructor(name: string, args: ImageApiRoleArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ecommerce:images:ImageApiRole", name, {}, opts);
    const parent = { parent: this };

    const role = new aws.iam.Role(
      name,
      {
        name: args.roleName,
        description: "API Gateway reaches the bucket of product images",
        assumeRolePolicy: trustPolicy("apigateway.amazonaws.com"),
      },
      parent,
    );
    const logs = new aws.iam.RolePolicyAttachment(
      `${name}-logs`,
      { role: role.name, policyArn: aws.iam.ManagedPolicy.AmazonAPIGatewayPushToCloudWatchLogs },
      parent,
    );
    const inline = (policyName: string, Action: string[], Resource: pulumi.Input<string>) =>
      new aws.iam.RolePolicy(
        `${name}-${policyName}`,
        {
          name: policyName,
          role: role.id,
          policy: { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action, Resource }] },
        },
        parent,
      );
    const s3 = inline("ecommerce-s3-policy", ["s3:PutObject", "s3:GetObject"], pulumi.interpolate`${args.bucketArn}/*`);
    const cognito = inline("ecommerce-cognito-policy", cognitoIdentityActions, "*");
    this.account =
      (args.accountLogRole ?? false)
        ? new aws.apigateway.Account(
            `${name}-account`,
            { cloudwatchRoleArn: role.arn },
            { parent: this, dependsOn: logs },
          )
        : undefined;

    this.arn = pulumi.all([role.arn, logs.id, s3.id, cognito.id]).apply(([arn]) => arn);
    this.registerOutputs({ arn: this.arn });
  }
}

/** Service authorization reference, "Amazon Cognito Identity": the access levels list, read, write and tagging. */
const cognitoIdentityActions = [
  ...["ListIdentities", "ListIdentityPools"],
  ...["DescribeIdentity", "DescribeIdentityPool", "GetCredentialsForIdentity", "GetIdentityPoolAnalytics"],
  ...["GetIdentityPoolDailyAnalytics", "GetIdentityPoolRoles", "GetIdentityProviderDailyAnalytics", "GetOpenIdToken"],
  ...["GetOpenIdTokenForDeveloperIdentity", "GetPrincipalTagAttributeMap", "ListTagsForResource"],
  ...["LookupDeveloperIdentity"],
  ...["CreateIdentityPool", "DeleteIdentities", "DeleteIdentityPool", "GetId", "MergeDeveloperIdentities"],
  ...["SetIdentityPoolRoles", "SetPrincipalTagAttributeMap", "UnlinkDeveloperIdentity", "UnlinkIdentity"],
  ...["UpdateIdentityPool"],
  ...["TagResource", "UntagResource"],
].map((action) => `cognito-identity:${action}`);
