import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CommandError } from "../../../../cli/commandError";
import { Iam } from "../../../../local/services/iam/iam";

const lambda = "lambda.amazonaws.com";
const trust = (service: string, Condition?: object) => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: service }, Condition }],
});
const policy = (Action: string, Resource: string, Effect = "Allow") =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect, Action, Resource }] });

let directory: string;
let iam: Iam;
const make = async (type: string, name: string, inputs: Record<string, unknown>, on = iam) =>
  (await on.handlers[type]!({ type, name, inputs })) as { id: string; outputs: Record<string, string> };
const makeRole = (inputs: Record<string, unknown> = {}, on = iam) =>
  make("aws:iam/role:Role", "registration", { assumeRolePolicy: trust(lambda), ...inputs }, on);

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "iam-"));
  iam = new Iam({ directory, accountId: "111122223333" });
});
afterEach(() => rmSync(directory, { recursive: true }));

describe("roles", () => {
  test("get a stable name if the program gives none", async () => {
    const first = await makeRole();
    const again = await makeRole({}, new Iam({ directory, accountId: "111122223333" }));
    expect(first.id).toMatch(/^registration-[0-9a-f]{7}$/);
    expect(again).toEqual(first);
    expect(first.outputs.arn).toBe(`arn:aws:iam::111122223333:role/${first.id}`);
    expect((await makeRole({ name: "r", path: "/service/" })).outputs.arn).toBe(
      "arn:aws:iam::111122223333:role/service/r",
    );
  });

  test("are assumable by the services that their trust policy names", async () => {
    const { arn } = (await makeRole()).outputs;
    expect(iam.assumableBy(arn!, lambda)).toBe(true);
    expect(iam.assumableBy(arn!, "apigateway.amazonaws.com")).toBe(false);
    expect(iam.assumableBy("arn:aws:iam::111122223333:role/none", lambda)).toBe(false);
    const foreign = trust(lambda, { StringEquals: { "aws:SourceAccount": "999999999999" } });
    expect(iam.assumableBy((await makeRole({ assumeRolePolicy: foreign })).outputs.arn!, lambda)).toBe(false);
  });

  test("refuse invalid documents and names, and say which", async () => {
    await expect(makeRole({ name: "a b" })).rejects.toThrow(/its name is "a b"/);
    const untrusted = makeRole({ assumeRolePolicy: undefined });
    await expect(untrusted).rejects.toThrow(/^aws:iam\/role:Role "registration": assumeRolePolicy: .*missing/);
    await expect(untrusted).rejects.toThrow(CommandError);
    await expect(makeRole({ assumeRolePolicy: policy("s3:*", "*") })).rejects.toThrow(/no Resource/);
    const inlinePolicies = [{ name: "p", policy: policy("s3", "*") }];
    await expect(makeRole({ inlinePolicies })).rejects.toThrow(/inlinePolicies\[0\].*service:Action/);
    await expect(makeRole({ managedPolicyArns: ["arn:aws:iam::aws:policy/None"] })).rejects.toThrow(
      /no policy arn:aws:iam::aws:policy\/None.*AWSLambdaBasicExecutionRole/,
    );
  });
});

describe("authorize", () => {
  const object = "arn:aws:s3:::images/a";

  test("denies with a reason until a policy allows it, also a policy registered later", async () => {
    const role = await makeRole();
    const arn = role.outputs.arn!;
    expect(iam.authorize(arn, "s3:PutObject", object)).toEqual({
      allowed: false,
      reason: `role ${role.id}: no statement allows s3:PutObject on ${object}`,
    });
    const rolePolicy = { role: role.id, name: "p", policy: policy("s3:PutObject", "arn:aws:s3:::images/*") };
    expect((await make("aws:iam/rolePolicy:RolePolicy", "p", rolePolicy)).id).toBe(`${role.id}:p`);
    expect(iam.authorize(arn, "s3:PutObject", object).allowed).toBe(true);
    expect(iam.authorize(arn, "s3:GetObject", object).allowed).toBe(false);
    await make("aws:iam/rolePolicy:RolePolicy", "q", { role: arn, policy: policy("s3:*", "*", "Deny") });
    expect(iam.authorize(arn, "s3:PutObject", object)).toEqual({
      allowed: false,
      reason: `role ${role.id}: a statement denies s3:PutObject on ${object}`,
    });
    expect(iam.authorize("arn:aws:iam::1:role/x", "s3:PutObject", object).reason).toBe(
      "there is no role arn:aws:iam::1:role/x",
    );
  });

  test("evaluates inline, attached and managed policies", async () => {
    const managed = "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole";
    const own = (await make("aws:iam/policy:Policy", "own", { policy: policy("s3:GetObject", "*") })).outputs.arn!;
    const role = await makeRole({
      inlinePolicies: [{ name: "i", policy: policy("s3:PutObject", "*") }],
      managedPolicyArns: [managed],
    });
    const may = (action: string) => iam.authorize(role.outputs.arn!, action, object).allowed;
    expect([may("s3:PutObject"), may("ec2:CreateNetworkInterface"), may("s3:GetObject")]).toEqual([true, true, false]);
    await make("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "a", { role: role.id, policyArn: own });
    expect(may("s3:GetObject")).toBe(true);
    const nowhere = { role: role.id, policyArn: "arn:aws:iam::111122223333:policy/none" };
    await expect(make("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "b", nowhere)).rejects.toThrow(/no policy/);
    await expect(
      make("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "c", { role: "none", policyArn: own }),
    ).rejects.toThrow(/no role "none"; roles: registration-/);
  });
});

describe("credentials", () => {
  test("belong to one role, are the same on the next start, and cannot be computed without the stored key", async () => {
    const { arn } = (await makeRole()).outputs;
    const credentials = iam.credentialsFor(arn!);
    expect(credentials.accessKeyId).toMatch(/^ASIA[0-9A-F]{16}$/);
    expect(credentials.secretAccessKey).toHaveLength(40);
    expect(iam.roleOf(credentials.accessKeyId)).toBe(arn);
    expect(iam.secretOf(credentials.accessKeyId)).toBe(credentials.secretAccessKey);
    const later = new Iam({ directory, accountId: "111122223333" });
    await makeRole({}, later);
    expect(later.credentialsFor(arn!)).toEqual(credentials);
    expect(later.administrator).toEqual(iam.administrator);
    expect(statSync(join(directory, "iam", "key")).mode & 0o777).toBe(0o600);
    const elsewhere = mkdtempSync(join(tmpdir(), "iam-"));
    try {
      const other = new Iam({ directory: elsewhere, accountId: "111122223333" });
      await makeRole({}, other);
      expect(other.credentialsFor(arn!).accessKeyId).not.toBe(credentials.accessKeyId);
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
    expect(() => iam.credentialsFor("arn:aws:iam::1:role/x")).toThrow(/no role/);
  });

  test("authorize by key: the administrator everything, a role what its policies allow, an unknown key nothing", async () => {
    const { arn } = (await makeRole({ inlinePolicies: [{ name: "i", policy: policy("s3:PutObject", "*") }] })).outputs;
    const { accessKeyId } = iam.credentialsFor(arn!);
    const may = (key: string, action: string) => iam.authorizeKey(key, action, "arn:aws:s3:::b/k").allowed;
    expect(may(iam.administrator.accessKeyId, "s3:DeleteBucket")).toBe(true);
    expect([may(accessKeyId, "s3:PutObject"), may(accessKeyId, "s3:DeleteBucket")]).toEqual([true, false]);
    expect(may("ASIA0000000000000000", "s3:PutObject")).toBe(false);
    expect(iam.roleOf(iam.administrator.accessKeyId)).toBeUndefined();
  });
});
