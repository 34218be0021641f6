import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { trustPolicy } from "./trustPolicy";

/** One statement of a policy that allows something. */
export interface Allowance {
  readonly Sid: string;
  readonly Action: string | string[];
  readonly Resource: pulumi.Input<string>;
}

/**
 * Lambda makes a function's interfaces with its role; EC2 names no resource for these actions beforehand (Lambda
 * developer guide, "Giving Lambda functions access to resources in an Amazon VPC").
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
 * A role for one function: it may write that function's log, hold its network interfaces in the VPC, and do what is
 * named beside.
 *
 * @param options `inVpc`: whether the function runs in the VPC, @default true
 * @returns the role, and the policy that must stand before the function runs
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
 * Allows one user pool to call a function as its trigger (S6). Nothing of the function's component can depend on the
 * pool, which names the function and so comes after it: the component offers this as a method.
 *
 * @param name begins the resource's name, as it does for the function's other parts
 * @param userPoolArn the only source that Cognito may call from
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
