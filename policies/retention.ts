import { type Finding, isBelow, isRecord, type Resource, type Rule, type RuleContext, shown, unknown } from "./rule";
import { stageOf } from "./stages";

/** Logs are deleted after some time, and backups are kept for some time. */
export const retention: Rule = {
  name: "retention",
  description: "Logs and backups are kept for a configured time.",
  check: (resource, context) => checks[resource.type]?.(resource, context) ?? [],
};

/** In days. Some mistakes are noticed only after weeks; a week is the default in RDS's console. */
const leastBackupDays = { trial: 1, staging: 1, production: 7 };

function backups({ props }: Resource, { stack }: RuleContext): Finding[] {
  const least = leastBackupDays[stageOf(stack)];
  if (!isBelow(props.backupRetentionPeriod, least)) return [];
  return [
    {
      got: `backupRetentionPeriod: ${shown(props.backupRetentionPeriod)}`,
      allowed: `${least} to 35 days`,
      todo: "Set database.backupDays.",
    },
  ];
}

const checks: Record<string, (resource: Resource, context: RuleContext) => Finding[]> = {
  "aws:rds/instance:Instance": backups,
  "aws:rds/cluster:Cluster": backups,
  "aws:cloudwatch/logGroup:LogGroup": ({ props }) =>
    isBelow(props.retentionInDays, 1)
      ? [
          {
            got: `retentionInDays: ${shown(props.retentionInDays)}, which keeps logs for ever`,
            allowed: "a number of days",
            todo: "Set logs.retentionDays.",
          },
        ]
      : [],
  "aws:lambda/function:Function": ({ props }) => {
    const { loggingConfig } = props;
    if (loggingConfig === unknown || (isRecord(loggingConfig) && loggingConfig.logGroup !== undefined)) return [];
    return [
      {
        got: "no log group: Lambda makes one that keeps logs for ever",
        allowed: "an aws.cloudwatch.LogGroup as loggingConfig.logGroup",
        todo: "Make one with retentionInDays.",
      },
    ];
  },
};
