/** The trust policy of a role that one service of AWS takes on, for example lambda.amazonaws.com, and nobody else. */
export const trustPolicy = (service: string) => ({
  Version: "2012-10-17" as const,
  Statement: [{ Effect: "Allow" as const, Action: "sts:AssumeRole", Principal: { Service: service } }],
});
