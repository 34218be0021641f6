/**
 * The exact rights of each role, in a private stack with all features on. A new right of a role must be added here and
 * in docs/security.md, as a confirmation that it is intended.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { projectRoot } from "../support/native";
import { arnOf, idOf, type Recorded, recordProgram } from "../support/program";

interface Statement {
  readonly Sid?: string;
  readonly Effect?: unknown;
  readonly Action?: string | string[];
  readonly Resource?: string | string[];
}

/** A resource's name in the tables, here and in docs/security.md → its ARN. */
const resources: Readonly<Record<string, string>> = {
  "any, for they have no name before they are made": "*",
  "any (S8)": "*",
  "its log": ":*",
  "register-user's log": `${arnOf({ name: "register-user-logs" })}:*`,
  "the secret": arnOf({ name: "secret" }),
  "the queue": arnOf({ name: "registration-buffer-queue" }),
  "the bucket's objects": `${arnOf({ name: "images" })}/*`,
};

const writeLog = ["logs:CreateLogStream", "logs:PutLogEvents"];
const holdNetworkInterfaces = [
  "ec2:CreateNetworkInterface",
  "ec2:DescribeNetworkInterfaces",
  "ec2:DescribeSubnets",
  "ec2:DeleteNetworkInterface",
  "ec2:AssignPrivateIpAddresses",
  "ec2:UnassignPrivateIpAddresses",
];
/** Service authorization reference, "Amazon Cognito Identity": access levels list, read, write and tagging. */
const cognitoIdentity = [
  ...["CreateIdentityPool", "DeleteIdentities", "DeleteIdentityPool", "DescribeIdentity", "DescribeIdentityPool"],
  ...["GetCredentialsForIdentity", "GetId", "GetIdentityPoolAnalytics", "GetIdentityPoolDailyAnalytics"],
  ...["GetIdentityPoolRoles", "GetIdentityProviderDailyAnalytics", "GetOpenIdToken"],
  ...["GetOpenIdTokenForDeveloperIdentity", "GetPrincipalTagAttributeMap", "ListIdentities", "ListIdentityPools"],
  ...["ListTagsForResource", "LookupDeveloperIdentity", "MergeDeveloperIdentities", "SetIdentityPoolRoles"],
  ...["SetPrincipalTagAttributeMap", "TagResource", "UnlinkDeveloperIdentity", "UnlinkIdentity", "UntagResource"],
  ...["UpdateIdentityPool"],
].map((action) => `cognito-identity:${action}`);

/** Role → its actions, and the resource of each. */
const rights: Readonly<Record<string, readonly (readonly [readonly string[], string])[]>> = {
  "register-user-role": [
    [writeLog, "its log"],
    [["secretsmanager:GetSecretValue"], "the secret"],
    [["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], "the queue"],
    [holdNetworkInterfaces, "any, for they have no name before they are made"],
  ],
  "registration-buffer-enqueue-role": [
    [writeLog, "register-user's log"],
    [["sqs:SendMessage"], "the queue"],
  ],
  "rotate-secret-role": [
    [writeLog, "its log"],
    [
      [
        "secretsmanager:DescribeSecret",
        "secretsmanager:GetSecretValue",
        "secretsmanager:PutSecretValue",
        "secretsmanager:UpdateSecretVersionStage",
      ],
      "the secret",
    ],
    [holdNetworkInterfaces, "any, for they have no name before they are made"],
  ],
  "schema-apply-role": [
    [writeLog, "its log"],
    [holdNetworkInterfaces, "any, for they have no name before they are made"],
  ],
  "database-proxy-role": [[["secretsmanager:GetSecretValue"], "the secret"]],
  "image-api-role": [
    [["s3:PutObject", "s3:GetObject"], "the bucket's objects"],
    [cognitoIdentity, "any (S8)"],
  ],
};

const arnFor = (role: string, resource: string) =>
  resource === "its log" ? `${arnOf({ name: role.replace(/-role$/, "-logs") })}:*` : resources[resource]!;
const expected = Object.entries(rights).flatMap(([role, granted]) =>
  granted.flatMap(([actions, resource]) => actions.map((action) => `${role}: ${action} on ${arnFor(role, resource)}`)),
);

const documentOf = (policy: unknown) =>
  (typeof policy === "string" ? JSON.parse(policy) : policy) as { Statement: Statement | Statement[] };

/** Each action on each resource; a statement of any other form is returned as JSON, which is never expected. */
function granted({ Sid: _, ...statement }: Statement): string[] {
  const { Effect, Action, Resource, ...more } = statement;
  if (Effect !== "Allow" || !Action || !Resource || Object.keys(more).length > 0) return [JSON.stringify(statement)];
  // A version of the secret's value has the secret's own ARN on AWS.
  const arns = [Resource].flat().map((arn) => arn.replace(/:secret-value$/, ":secret"));
  return [Action].flat().flatMap((action) => arns.map((arn) => `${action} on ${arn}`));
}

let program: Recorded;
beforeAll(async () => {
  program = await recordProgram({
    "ecommerce:api": '{"writers":"application","ownPrefix":true,"overwrite":false,"accountLogRole":true}',
    "ecommerce:registration": '{"buffer":true}',
    "ecommerce:secret": '{"rotationDays":30}',
    "ecommerce:database": '{"access":"private","proxy":true}',
  });
});

/** Logical name of the role that an input names, by its ID or its name. */
const roleOf = (reference: unknown) =>
  program
    .all("aws:iam/role:Role")
    .find((role) => [idOf(role), role.inputs.name ?? role.name].includes(reference as string))?.name;

it("gives each role exactly these rights", () => {
  const found = program.all("aws:iam/rolePolicy:RolePolicy").flatMap(({ inputs }) =>
    [documentOf(inputs.policy).Statement]
      .flat()
      .flatMap(granted)
      .map((right) => `${roleOf(inputs.role)}: ${right}`),
  );
  expect(found.toSorted()).toEqual(expected.toSorted());
  expect(
    program
      .all("aws:iam/role:Role")
      .map(({ name }) => name)
      .toSorted(),
  ).toEqual(Object.keys(rights).toSorted());
});

it("has no other policies, no users and no groups, and only the documented AWS managed policy", () => {
  const types = new Set(program.resources.map(({ type }) => type).filter((type) => type.startsWith("aws:iam/")));
  expect([...types].toSorted()).toEqual([
    "aws:iam/role:Role",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
  ]);
  const attached = program.all("aws:iam/rolePolicyAttachment:RolePolicyAttachment").map(({ inputs }) => inputs);
  expect(attached.map(({ role, policyArn }) => [roleOf(role), policyArn])).toEqual([
    ["image-api-role", "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"],
  ]);
  for (const { inputs } of program.all("aws:iam/role:Role")) {
    expect(inputs.managedPolicyArns ?? inputs.inlinePolicies).toBeUndefined();
  }
});

it("has the same rights as the table in docs/security.md", () => {
  const text = readFileSync(join(projectRoot, "docs/security.md"), "utf8");
  const section = text.slice(text.indexOf("## Least privilege"), text.indexOf("## On this machine"));
  const rows = [...section.matchAll(/^\| `([a-z-]+-role)` \| (.+) \| (.+) \|$/gm)];
  const documented = rows.map(([, role, actions, resource]) => `${role}: ${actions} on ${resource}`);
  const inWords = (actions: readonly string[]) =>
    actions === cognitoIdentity
      ? `the ${cognitoIdentity.length} actions of Cognito Identity to list, read, write and tag`
      : actions.map((action) => `\`${action}\``).join(", ");
  const expectedRows = Object.entries(rights).flatMap(([role, given]) =>
    given.map(([actions, resource]) => `${role}: ${inWords(actions)} on ${resource}`),
  );
  expect(documented).toEqual(expectedRows);
});

it("lets one service assume each role", () => {
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
    expect(inputs.sourceArn, name).toMatch(/^arn:aws:test:us-east-1:000000000000:one:(users|secret)/);
  }
});

it("gives the database user two privileges on one table, and with rotation one for its own passwords", async () => {
  // In a public database the deployment itself grants them; in a private one a function does (databaseSchema.test.ts).
  const publicProgram = await recordProgram({ "ecommerce:secret": '{"rotationDays":30}' });
  const granted = publicProgram.all("mysql:index/grant:Grant").map(({ inputs }) => inputs);
  expect(granted.map(({ database, table, privileges }) => [database, table, privileges])).toEqual(
    expect.arrayContaining([
      ["ecommerce_db", "users", ["INSERT", "SELECT"]],
      // Allows the account to have two passwords, and gives no right on other accounts.
      ["*", "*", ["APPLICATION_PASSWORD_ADMIN"]],
    ]),
  );
  expect(granted).toHaveLength(2);
});
