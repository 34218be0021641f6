import { type Finding, isBelow, isRecord, type Resource, type Rule, type RuleContext, shown, unknown } from "./rule";
import { stageOf } from "./stages";

/** Logs end some day, backups do not end at once. */
export const retention: Rule = {
  name: "retention",
  description: "Logs and backups are kept for a time that somebody chose.",
  check: (resource, context) => checks[resource.type]?.(resource, context) ?? [],
};

/** Weeks pass before some mistakes are seen; a week is RDS's own default in its console. */
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
