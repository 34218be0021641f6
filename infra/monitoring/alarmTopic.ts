import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

export interface AlarmTopicArgs {
  readonly stack: string;
  readonly region: string;
  /** The account whose alarms and databases may publish to the topic. */
  readonly account: pulumi.Input<string>;
  /** Recipient of the mails. @default no mail */
  readonly email?: string;
}

/**
 * The topic, encrypted at rest, to which only the alarms and databases of this account and region may publish.
 *
 * @returns the topic, and the policy that must exist before anything is published
 */
export function alarmTopic(name: string, args: AlarmTopicArgs, parent: pulumi.Resource) {
  const key = alarmKey(name, args, parent);
  const topic = new aws.sns.Topic(
    `${name}-alarms`,
    { name: `ecommerce-${args.stack}-alarms`, kmsMasterKeyId: key.id },
    { parent },
  );
  const policy = new aws.sns.TopicPolicy(
    `${name}-alarms-policy`,
    {
      arn: topic.arn,
      policy: pulumi.jsonStringify({
        Version: "2012-10-17",
        Statement: [
          { Sid: "AlarmsPublish", ...alarmsOfThisAccount(args), Action: "sns:Publish", Resource: topic.arn },
          { Sid: "DatabasesPublish", ...databasesOfThisAccount(args), Action: "sns:Publish", Resource: topic.arn },
        ],
      }),
    },
    { parent },
  );
  if (args.email !== undefined) {
    new aws.sns.TopicSubscription(
      `${name}-email`,
      { topic: topic.arn, protocol: "email", endpoint: args.email },
      { parent },
    );
  }
  return { topic, policy };
}

/**
 * CloudWatch cannot use the AWS managed key of SNS, so the topic has a customer managed key (about 1 USD a month).
 * {@link https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services}
 */
function alarmKey(name: string, args: AlarmTopicArgs, parent: pulumi.Resource): aws.kms.Key {
  const encrypt = { Action: ["kms:Decrypt", "kms:GenerateDataKey*"], Resource: "*" };
  return new aws.kms.Key(
    `${name}-key`,
    {
      description: `Alarms of the stack ${args.stack}`,
      enableKeyRotation: true,
      deletionWindowInDays: 7,
      policy: pulumi.jsonStringify({
        Version: "2012-10-17",
        Statement: [
          {
            // Without this statement no principal could change the key again (KMS developer guide, "Default key
            // policy").
            Sid: "TheAccountDecides",
            Effect: "Allow",
            Principal: { AWS: pulumi.interpolate`arn:aws:iam::${args.account}:root` },
            Action: "kms:*",
            Resource: "*",
          },
          // By the account only. AWS's example for such a key has no condition at all
          // (https://repost.aws/knowledge-center/cloudwatch-configure-alarm-sns), and a condition that CloudWatch does not
          // meet would lose every mail unnoticed. Which alarms may publish is in the topic's policy.
          { Sid: "AlarmsEncrypt", ...alarms, ...ofThisAccount(args), ...encrypt },
          // No condition: AWS documents none for the key, and the topic's policy limits whose events are accepted.
          { Sid: "DatabasesEncrypt", ...databases, ...encrypt },
        ],
      }),
    },
    { parent },
  );
}

const alarms = { Effect: "Allow", Principal: { Service: "cloudwatch.amazonaws.com" } };

const ofThisAccount = ({ account }: AlarmTopicArgs) => ({
  Condition: { StringEquals: { "aws:SourceAccount": account } },
});

const alarmsOfThisAccount = ({ region, account }: AlarmTopicArgs) => ({
  ...alarms,
  Condition: {
    StringEquals: { "aws:SourceAccount": account },
    ArnLike: { "aws:SourceArn": pulumi.interpolate`arn:aws:cloudwatch:${region}:${account}:alarm:*` },
  },
});

const databases = { Effect: "Allow", Principal: { Service: "events.rds.amazonaws.com" } };

const databasesOfThisAccount = ({ region, account }: AlarmTopicArgs) => ({
  ...databases,
  Condition: {
    StringEquals: { "aws:SourceAccount": account },
    ArnLike: { "aws:SourceArn": pulumi.interpolate`arn:aws:rds:${region}:${account}:*` },
  },
});
