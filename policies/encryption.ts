import { differs, type Finding, isRecord, type Resource, type Rule, shown, unknown } from "./rule";

/**
 * Resources that AWS does not encrypt by default, or whose encryption can be turned off. Not listed, since AWS always
 * encrypts them: objects in S3 (since 2023), secrets, log groups, a function's environment.
 */
export const encryptionAtRest: Rule = {
  name: "encryption-at-rest",
  description: "Data is encrypted where it is stored.",
  check: (resource) => checks[resource.type]?.(resource) ?? [],
};

const storage = ({ props }: Resource): Finding[] =>
  differs(props.storageEncrypted, true)
    ? [
        {
          got: `storageEncrypted: ${shown(props.storageEncrypted)}`,
          allowed: "true",
          todo: "Set it before the first deployment: a later change replaces the database.",
        },
      ]
    : [];

const checks: Record<string, (resource: Resource) => Finding[]> = {
  "aws:rds/instance:Instance": storage,
  "aws:rds/cluster:Cluster": storage,
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": ({ props }) =>
    algorithms(props.rules)
      .filter((algorithm) => algorithm !== unknown && !/^(AES256|aws:kms(:dsse)?)$/.test(String(algorithm)))
      .map((algorithm) => ({
        got: `sseAlgorithm: ${shown(algorithm)}`,
        allowed: "AES256, aws:kms or aws:kms:dsse",
        todo: "Set one of them in each rule.",
      })),
  // New queues are encrypted unless this is false (SQS developer guide, "Encryption at rest").
  "aws:sqs/queue:Queue": ({ props }) =>
    props.sqsManagedSseEnabled === false && props.kmsMasterKeyId === undefined
      ? [
          {
            got: "sqsManagedSseEnabled: false, and no key",
            allowed: "SQS's own encryption, or a key of KMS",
            todo: "Set sqsManagedSseEnabled to true, or kmsMasterKeyId.",
          },
        ]
      : [],
  "aws:sns/topic:Topic": ({ props }) =>
    props.kmsMasterKeyId === undefined
      ? [
          {
            got: "no key",
            allowed: "a key of KMS",
            todo: "Set kmsMasterKeyId; without it SNS stores messages unencrypted.",
          },
        ]
      : [],
};

function algorithms(rules: unknown): unknown[] {
  if (!Array.isArray(rules)) return [];
  return rules.map((rule: unknown) => {
    const byDefault = isRecord(rule) ? rule.applyServerSideEncryptionByDefault : rule;
    return isRecord(byDefault) ? byDefault.sseAlgorithm : byDefault;
  });
}
