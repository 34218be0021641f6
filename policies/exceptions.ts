/** An exception from a rule that the documents require, with its reason and its row. */
export interface Exception {
  /** Name of the rule. */
  readonly rule: string;
  /** Logical name of the one resource. */
  readonly resource: string;
  /** The exact text of the rule's finding; any other finding for the same resource is refused. */
  readonly got: string;
  readonly reason: string;
  /** The documented row, and the section that explains it. */
  readonly document: string;
}

export const exceptions: readonly Exception[] = [
  {
    rule: "named-callers",
    resource: "images-policy",
    got: "anyone may do s3:GetObject",
    reason:
      "Product images are public: anyone who knows the name of one may get it; listing, writing and deleting are not public.",
    document: 'S7, docs/security.md "Open on purpose: the pictures"',
  },
  {
    rule: "named-callers",
    resource: "images-access",
    got: "off: blockPublicAcls, blockPublicPolicy, ignorePublicAcls, restrictPublicBuckets",
    reason: 'The documented bucket has "block all public access" off, without which its policy is refused.',
    document: 'S7, docs/security.md "Open on purpose: the pictures"',
  },
  {
    rule: "named-permissions",
    resource: "image-api-role-ecommerce-cognito-policy",
    got: "26 of cognito-identity's actions on *",
    reason: "The documented role may list, read, write and tag in Cognito Identity; identity pools are made elsewhere.",
    document: 'S8, docs/security.md "What a signed-in person may do, and what narrows it"',
  },
  {
    rule: "own-policies",
    resource: "image-api-role-logs",
    got: "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs",
    reason: "The documented role pushes API Gateway's logs to CloudWatch with the AWS managed policy for this.",
    document: 'S8, docs/security.md "Least privilege"',
  },
];
