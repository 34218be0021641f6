/** What each role may do, with everything switched on: nothing broader is registered than what stands here. */
import { beforeAll, expect, it } from "vitest";
import { type Recorded, recordProgram } from "../support/program";

interface Statement {
  readonly Sid?: string;
  readonly Effect: "Allow" | "Deny";
  readonly Action: string | string[];
  readonly Resource: string | string[];
}

let program: Recorded;
let grants: { readonly policy: string; readonly action: string; readonly resource: string }[];
beforeAll(async () => {
  program = await recordProgram({
    "ecommerce:api": '{"writers":"application","ownPrefix":true,"overwrite":false,"accountLogRole":true}',
    "ecommerce:registration": '{"buffer":true}',
    "ecommerce:secret": '{"rotationDays":30}',
    "ecommerce:database.proxy": "true",
  });
  grants = program.all("aws:iam/rolePolicy:RolePolicy").flatMap(({ name, inputs }) => {
    const document = typeof inputs.policy === "string" ? JSON.parse(inputs.policy) : inputs.policy;
    return (document.Statement as Statement[])
      .filter(({ Effect }) => Effect === "Allow")
      .flatMap(({ Action, Resource }) =>
        [Action].flat().flatMap((action) => [Resource].flat().map((resource) => ({ policy: name, action, resource }))),
      );
  });
});

it("names every action; no wildcard", () => {
  expect(grants.length).toBeGreaterThan(10);
  expect(grants.filter(({ action }) => action.includes("*"))).toEqual([]);
});

it("names every resource, but where AWS or the documents know none", () => {
  const anything = grants.filter(({ resource }) => resource === "*");
  const networkInterfaces =
    /^ec2:(Create|Describe|Delete)NetworkInterfaces?$|^ec2:DescribeSubnets$|^ec2:(Una|A)ssignPrivateIpAddresses$/;
  const exceptions = anything.filter(
    ({ policy, action }) =>
      // Lambda's network interfaces have no name before they are made.
      !networkInterfaces.test(action) &&
      // GetRandomPassword is for no resource.
      action !== "secretsmanager:GetRandomPassword" &&
      // S8 documents the Cognito Identity policy as it is.
      !(policy === "image-api-role-ecommerce-cognito-policy" && action.startsWith("cognito-identity:")),
  );
  expect(exceptions).toEqual([]);
});

it("lets a function read one secret, and API Gateway reach one bucket's objects", () => {
  const of = (action: string) =>
    new Set(grants.filter((grant) => grant.action === action).map(({ resource }) => resource));
  expect([...of("s3:PutObject"), ...of("s3:GetObject")]).toEqual([
    "arn:aws:test:us-east-1:000000000000:images/*",
    "arn:aws:test:us-east-1:000000000000:images/*",
  ]);
  for (const resource of of("secretsmanager:GetSecretValue")) expect(resource).toMatch(/:secret(-value)?$/);
  for (const { action } of grants) expect(action).not.toMatch(/^(iam|sts|rds|kms|cognito-idp):/);
});

it("attaches one policy of AWS's own, the documented one", () => {
  expect(
    program.all("aws:iam/rolePolicyAttachment:RolePolicyAttachment").map(({ inputs }) => inputs.policyArn),
  ).toEqual(["arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"]);
  for (const { inputs } of program.all("aws:iam/role:Role")) {
    expect(inputs.managedPolicyArns ?? inputs.inlinePolicies).toBeUndefined();
  }
});

it("lets each role be taken on by one service", () => {
  for (const { name, inputs } of program.all("aws:iam/role:Role")) {
    const trust = inputs.assumeRolePolicy as { Statement: { Principal: unknown; Action: unknown }[] } | string;
    const { Statement } = typeof trust === "string" ? JSON.parse(trust) : trust;
    expect(Statement, name).toHaveLength(1);
    expect(Statement[0].Action, name).toBe("sts:AssumeRole");
    expect(Object.values(Statement[0].Principal), name).toEqual([
      name === "database-proxy-role"
        ? "rds.amazonaws.com"
        : expect.stringMatching(/^(lambda|apigateway)\.amazonaws\.com$/),
    ]);
  }
});

it("lets one service call each function, for one source", () => {
  for (const { name, inputs } of program.all("aws:lambda/permission:Permission")) {
    expect(inputs.action, name).toBe("lambda:InvokeFunction");
    expect(inputs.principal, name).toMatch(/^(cognito-idp|secretsmanager)\.amazonaws\.com$/);
    expect(inputs.sourceArn, name).toMatch(/^arn:aws:test:us-east-1:000000000000:(users|secret)/);
  }
});

it("gives the function's database user two privileges on one table, and with rotation its own old password", () => {
  const granted = program.all("mysql:index/grant:Grant").map(({ inputs }) => inputs);
  expect(granted.map(({ database, table, privileges }) => [database, table, privileges])).toEqual(
    expect.arrayContaining([
      ["ecommerce_db", "users", ["INSERT", "SELECT"]],
      // Allows an account to hold two passwords of its own for a while, and nothing on others.
      ["*", "*", ["APPLICATION_PASSWORD_ADMIN"]],
    ]),
  );
  expect(granted).toHaveLength(2);
});
