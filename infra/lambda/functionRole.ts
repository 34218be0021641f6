import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { trustPolicy } from "./trustPolicy";

/** One `Allow` statement of a policy. */
export interface Allowance {
  readonly Sid: string;
  readonly Action: string | string[];
  readonly Resource: pulumi.Input<string>;
}

/**
 * Lambda makes a function's network interfaces with its role; their ARNs are not known beforehand (Lambda developer
 * guide, "Giving Lambda functions access to resources in an Amazon VPC").
 */
const holdNetworkInterfaces: Allowance = {
  Sid: "HoldNetworkInterfaces",
  Action: [
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
  ],
  Resource: "*",
};

/**
 * A role for one function: it may write that function's log, manage its network interfaces in the VPC, and do what
 * `allowances` lists.
 *
 * @param options `inVpc`: whether the function runs in the VPC, @default true
 * @returns the role, and the policy that must exist before the function runs
 */
export function functionRole(
  name: string,
  logs: { readonly arn: pulumi.Input<string> },
  allowances: readonly Allowance[],
  parent: pulumi.Resource,
  { inVpc = true } = {},
) {
  const role = new aws.iam.Role(`${name}-role`, { assumeRolePolicy: trustPolicy("lambda.amazonaws.com") }, { parent });
  const statements: Allowance[] = [
    {
      Sid: "WriteLog",
      Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
      Resource: pulumi.interpolate`${logs.arn}:*`,
    },
    ...allowances,
    ...(inVpc ? [holdNetworkInterfaces] : []),
  ];
  const policy = new aws.iam.RolePolicy(
    `${name}-policy`,
    {
      role: role.id,
      policy: {
        Version: "2012-10-17",
        Statement: statements.map(({ Sid, ...allowed }) => ({ Sid, Effect: "Allow" as const, ...allowed })),
      },
    },
    { parent },
  );
  return { role, policy };
}

/**
 * Allows one user pool to call a function as its trigger (S6). The pool's arguments contain the function, so the pool
 * is made after the function's component, and the component calls this from a method.
 *
 * @param name prefix of the resource's name, as for the function's other resources
 * @param userPoolArn the only pool for which Cognito may call the function
 */
export function allowUserPool(
  name: string,
  functionName: pulumi.Input<string>,
  userPoolArn: pulumi.Input<string>,
  parent: pulumi.Resource,
): aws.lambda.Permission {
  return new aws.lambda.Permission(
    `${name}-from-pool`,
    {
      action: "lambda:InvokeFunction",
      function: functionName,
      principal: "cognito-idp.amazonaws.com",
      sourceArn: userPoolArn,
    },
    { parent },
  );
}
