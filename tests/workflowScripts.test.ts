/** The commands of docs/deployment.md, with stand-ins for gh, aws and pulumi. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { projectRoot } from "./support/native";

const read = (file: string) => readFileSync(join(projectRoot, file), "utf8");

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ecommerce-workflows-"));
  mkdirSync(join(folder, "bin"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const written = (file: string) => (existsSync(join(folder, file)) ? readFileSync(join(folder, file), "utf8") : "");

/** Runs a script as GitHub runs one for `shell: bash`. @param tools stand-ins, by name → what they do in bash */
function run(script: string, tools: Record<string, string>, env: Record<string, string> = {}) {
  for (const [name, body] of Object.entries(tools)) {
    const note = `{ printf '%s\\0' ${name} "$@"; printf '\\1'; } >> "$RUNNER_TEMP/calls"`;
    writeFileSync(join(folder, "bin", name), `#!/usr/bin/env bash\n${note}\n${body}\n`, { mode: 0o755 });
  }
  const { status, stdout, stderr } = spawnSync("bash", ["--noprofile", "--norc", "-eo", "pipefail", "-c", script], {
    cwd: projectRoot,
    encoding: "utf8",
    env: {
      PATH: `${join(folder, "bin")}:${process.env.PATH}`,
      GITHUB_OUTPUT: join(folder, "output"),
      GITHUB_REPOSITORY: "owner/shop",
      GITHUB_RUN_ID: "7",
      GITHUB_SERVER_URL: "https://github.com",
      GITHUB_STEP_SUMMARY: join(folder, "summary"),
      RUNNER_TEMP: folder,
      ...env,
    },
  });
  const calls = written("calls").split("\x01").slice(0, -1);
  return { status, stdout, stderr, calls: calls.map((call) => call.split("\0").slice(0, -1)) };
}

describe("the commands of docs/deployment.md", () => {
  const text = read("docs/deployment.md");
  const commands = [...text.matchAll(/```bash\n(.+?)```/gs)].map(([, block]) => block).join("\n");
  const subject = "repo:owner@1/shop@2";
  const tools = {
    aws: `case "$*" in
      kms\\ create-key*) echo arn:aws:kms:us-east-1:123456789012:key/of-$STACK ;;
      sts*) echo 123456789012 ;;
    esac`,
    gh: `case "$*" in *customization*) echo ${subject} ;; esac`,
    pulumi: `case "$*" in config*) echo pictures-of-$STACK ;; esac`,
  };
  /** As printed, but for the environment's name and the repository's. */
  function executed(stack: string) {
    const script = commands.replace("STACK=staging", `STACK=${stack}`).replace("OWNER/REPOSITORY", "owner/shop");
    const { status, stderr, calls } = run(script, tools);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const option = (call: readonly string[], name: string) => call[call.indexOf(name) + 1] ?? "";
    const of = (...command: string[]) => calls.filter((call) => command.every((word, i) => call[i] === word));
    const policies = (command: string, document: string) =>
      of("aws", "iam", command).map((call) => [option(call, "--role-name"), JSON.parse(option(call, document))]);
    return {
      calls,
      of,
      trusts: Object.fromEntries(policies("create-role", "--assume-role-policy-document")),
      rights: Object.fromEntries(policies("put-role-policy", "--policy-document")),
      variables: of("gh", "variable", "set").map((call) => [option(call, "--env"), call[3], option(call, "--body")]),
    };
  }
  const stacks = ["staging", "prod"];

  test.each(stacks)("make %s a state of its own, by a key of its own", (stack) => {
    const { calls, of, variables } = executed(stack);
    const bucket = `my-company-pulumi-${stack}`;
    const key = `awskms://alias/pulumi-${stack}?region=us-east-1`;
    expect(of("aws", "s3", "mb")).toEqual([["aws", "s3", "mb", `s3://${bucket}`]]);
    const target = `arn:aws:kms:us-east-1:123456789012:key/of-${stack}`;
    const alias = ["--alias-name", `alias/pulumi-${stack}`, "--target-key-id", target];
    expect(of("aws", "kms", "create-alias")).toEqual([["aws", "kms", "create-alias", ...alias]]);
    expect(of("pulumi", "stack")).toEqual([["pulumi", "stack", "init", stack, `--secrets-provider=${key}`]]);
    for (const environment of [stack, `${stack}-preview`]) {
      expect(calls).toContainEqual(expect.arrayContaining(["PUT", `repos/owner/shop/environments/${environment}`]));
      expect(variables).toContainEqual([environment, "PULUMI_BACKEND_URL", `s3://${bucket}?region=us-east-1`]);
      expect(variables).toContainEqual([environment, "AWS_REGION", "us-east-1"]);
      const role = `arn:aws:iam::123456789012:role/github-${environment}`;
      expect(variables).toContainEqual([environment, "AWS_ROLE_ARN", role]);
    }
    expect(variables).toHaveLength(6);
  });

  test.each(stacks)("let each role of %s trust the environment of its name only", (stack) => {
    const { trusts } = executed(stack);
    expect(Object.keys(trusts)).toEqual([`github-${stack}`, `github-${stack}-preview`]);
    for (const [role, policy] of Object.entries<any>(trusts)) {
      expect(policy.Statement.map((statement: { Condition: unknown }) => statement.Condition)).toEqual([
        {
          StringEquals: {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": `${subject}:environment:${role.replace("github-", "")}`,
          },
        },
      ]);
    }
  });

  test.each(stacks)("let the roles of %s into its own state and pictures only, and the preview's read", (stack) => {
    const { rights } = executed(stack);
    const grants = (role: string) =>
      rights[role].Statement.flatMap(({ Action, Resource }: { Action: string[]; Resource: string[] }) =>
        [Action].flat().flatMap((action) => [Resource].flat().map((resource) => `${action} ${resource}`)),
      ) as string[];
    const state = `arn:aws:s3:::my-company-pulumi-${stack}`;
    const reads = [`kms:Decrypt arn:aws:kms:us-east-1:123456789012:key/of-${stack}`];
    for (const resource of [state, `${state}/*`]) reads.push(`s3:ListBucket ${resource}`, `s3:GetObject ${resource}`);
    const preview = grants(`github-${stack}-preview`);
    expect(preview.sort()).toEqual([...reads, "ec2:DescribeAvailabilityZones *"].sort());

    const deploy = grants(`github-${stack}`);
    expect(deploy).toEqual(expect.arrayContaining(reads));
    const data = deploy.filter((grant) => /^(s3|kms):(\*|.*(Object|Bucket|crypt))/.test(grant));
    for (const grant of data) expect(grant).toMatch(new RegExp(` arn:.*[-/](pulumi|pictures-of|of)-${stack}(/\\*)?$`));
  });

  test("let the deploying role use every service that the program does", () => {
    const services: Record<string, string> = { cognito: "cognito-idp", vpc: "ec2" };
    const urns = stacks.map((stack) => read(`tests/infra/urns/${stack}.txt`)).join();
    const used = new Set([...urns.matchAll(/\baws:(\w+)\//g)].map(([, module]) => services[module!] ?? module!));
    const allowed = JSON.stringify(executed("prod").rights["github-prod"]);
    expect(used.size).toBeGreaterThan(10);
    for (const service of used) expect(allowed).toContain(`"${service}:`);
  });
});
