/** The trust policy of a role that only one AWS service may assume, for example lambda.amazonaws.com. */
export const trustPolicy = (service: string) => ({
  Version: "2012-10-17" as const,
  Statement: [{ Effect: "Allow" as const, Action: "sts:AssumeRole", Principal: { Service: service } }],
});
