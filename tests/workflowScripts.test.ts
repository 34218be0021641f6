/** The scripts of the workflows, and the commands of docs/deployment.md, with stand-ins for gh, aws and pulumi. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { projectRoot } from "./support/native";
import { recordProgram } from "./support/program";

const read = (file: string) => readFileSync(join(projectRoot, file), "utf8");

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ecommerce-workflows-"));
  mkdirSync(join(folder, "bin"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const written = (file: string) => (existsSync(join(folder, file)) ? readFileSync(join(folder, file), "utf8") : "");

/** Runs a script as GitHub runs one for `shell: bash`. @param tools name of a stand-in → its code in bash */
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

describe("newest.sh", () => {
  const runScript = (gh: string) => run(read(".github/newest.sh"), { gh }, { GITHUB_SHA: "aaa" });

  test("sets newest=true for main's tip", () => {
    const { status, stdout, calls } = runScript("echo aaa");
    expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
    expect(written("output")).toBe("newest=true\n");
    expect(calls).toEqual([["gh", "api", "repos/owner/shop/git/ref/heads/main", "--jq", ".object.sha"]]);
  });

  test("sets newest=false for another commit, and names main's tip in a notice", () => {
    const { status, stdout } = runScript("echo bbb");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^::notice title=Not deployed::.*aaa.*bbb/);
    expect(written("output")).toBe("newest=false\n");
  });

  test("fails without an output if GitHub's answer fails", () => {
    expect(runScript("exit 4").status).toBe(4);
    expect(written("output")).toBe("");
  });
});

describe("a preview", () => {
  const { steps } = parse(read(".github/workflows/preview.yml")).jobs.preview;
  const script = steps.find(({ id }: { id?: string }) => id === "preview").run;
  const preview = (pulumi: string) => run(script, { pulumi }, { STACK: "prod" });
  const comment = (outcome: string, existing: string) => {
    const env = { STACK: "prod", OUTCOME: outcome, COMMIT: "abc123", PULL_REQUEST: "12", GH_TOKEN: "token" };
    const gh = `case "$*" in *--paginate*) printf '${existing}' ;; esac`;
    const { status, stderr, calls } = run(read(".github/comment.sh"), { gh }, env);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(written("summary")).toBe(written("comment.md"));
    return { body: written("comment.md"), calls: calls.filter(([tool]) => tool === "gh") };
  };

  test("fails if the CLI fails, and keeps its output", () => {
    const { status, stdout, calls } = preview("echo 'mandatory: private-database'; echo refused >&2; exit 255");
    expect(status).toBe(255);
    expect(stdout).toBe("mandatory: private-database\nrefused\n");
    expect(written("preview.txt")).toBe(stdout);
    expect(calls[0]?.slice(0, 3)).toEqual(["pulumi", "preview", "--non-interactive"]);
  });

  test("that failed replaces the comment of the previous preview", () => {
    preview("echo 'mandatory: private-database'; exit 255");
    const { body, calls } = comment("failure", "41\\n57\\n");
    expect(body).toMatch(/^### Preview of prod: :x: failed\n\nOf abc123; .*\/owner\/shop\/actions\/runs\/7/);
    expect(body).toContain("mandatory: private-database");
    expect(calls[0]?.at(-1)).toBe(
      '.[] | select(.user.login == "github-actions[bot]" and (.body | startswith("### Preview of prod:"))) | .id',
    );
    const file = join(folder, "comment.md");
    const address = "repos/owner/shop/issues/comments/41";
    expect(calls[1]).toEqual(["gh", "api", "--silent", "--method", "PATCH", address, "-F", `body=@${file}`]);
  });

  test("that was skipped is commented as not made", () => {
    const { body } = comment("skipped", "");
    expect(body).toContain("### Preview of prod: :x: not made");
    expect(body).not.toContain("<details>");
  });

  test("that succeeded adds the first comment", () => {
    preview("echo '+ 3 to create'");
    const { body, calls } = comment("success", "");
    expect(body).toContain("### Preview of prod: this would change");
    expect(body).toContain("+ 3 to create");
    const file = join(folder, "comment.md");
    expect(calls[1]).toEqual(["gh", "api", "--silent", "repos/owner/shop/issues/12/comments", "-F", `body=@${file}`]);
  });

  test("with too much output for a comment is shown by the end of the output", () => {
    writeFileSync(join(folder, "preview.txt"), `${"first\n".repeat(20_000)}the last line`);
    const { body } = comment("failure", "");
    expect(body.length).toBeLessThan(65_536);
    expect(body).toContain("the last line");
  });
});

test("REQUIRE_PULUMI=1 turns the skipped tests of the engine into failures", () => {
  const load = `PATH=; "$NODE" -r tsx/cjs -e 'require("./tests/support/engine.ts")'`;
  const loadWith = (required: string) => run(load, {}, { NODE: process.execPath, REQUIRE_PULUMI: required });
  expect(loadWith("")).toMatchObject({ status: 0, stderr: "" });
  const { status, stderr } = loadWith("1");
  expect(status).toBe(1);
  expect(stderr).toContain("REQUIRE_PULUMI=1 forbids skipping a test that needs the Pulumi CLI on the PATH");
});

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
  /** Runs the commands as they are in the document, except for the names of environment and repository. */
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

  test.each(stacks)("create a separate state and key for %s", (stack) => {
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

  test.each(stacks)("make each role of %s trust only the environment with its name", (stack) => {
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

  test.each(stacks)(
    "give the roles of %s access to its own state and pictures only; the preview's role only reads",
    (stack) => {
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
      for (const grant of data)
        expect(grant).toMatch(new RegExp(` arn:.*[-/](pulumi|pictures-of|of)-${stack}(/\\*)?$`));
    },
  );

  test.each(["", "null"])("make no role if GitHub gives the subject %j, which would trust no job", (given) => {
    const { stderr, calls } = run(commands, { ...tools, gh: `case "$*" in *customization*) echo ${given} ;; esac` });
    expect(stderr).toContain("GitHub gave no sub_claim_prefix for OWNER/REPOSITORY: check the name");
    expect(calls.filter((call) => call.includes("create-role") || call.includes("put-role-policy"))).toEqual([]);
  });

  test("let the deploying role use every service that the program uses", () => {
    const services: Record<string, string> = { cognito: "cognito-idp", vpc: "ec2" };
    const urns = stacks.map((stack) => read(`tests/infra/urns/${stack}.txt`)).join();
    const used = new Set([...urns.matchAll(/\baws:(\w+)\//g)].map(([, module]) => services[module!] ?? module!));
    const allowed = JSON.stringify(executed("prod").rights["github-prod"]);
    expect(used.size).toBeGreaterThan(10);
    for (const service of used) expect(allowed).toContain(`"${service}:`);
  });

  test("let the deploying role associate the private DNS name of a VPC endpoint, which EC2 does in Route 53", async () => {
    const program = await recordProgram({}, "prod");
    const named = program.all("aws:ec2/vpcEndpoint:VpcEndpoint").filter(({ inputs }) => inputs.privateDnsEnabled);
    const allowed = JSON.stringify(executed("prod").rights["github-prod"]);
    // CreateVpcEndpoint has it as a dependent action (Service Authorization Reference, "Amazon EC2").
    expect(allowed.includes('"route53:AssociateVPCWithHostedZone"')).toBe(named.length > 0);
  });
});
