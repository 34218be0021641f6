/** The GitHub workflows hold what docs/deployment.md promises of them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { projectRoot } from "./support/native";

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly env?: Record<string, string>;
  readonly with?: Record<string, unknown>;
}
interface Job {
  readonly uses?: string;
  readonly if?: string;
  readonly needs?: string;
  readonly environment?: string;
  readonly permissions?: Record<string, string>;
  readonly concurrency?: { readonly group: string; readonly "cancel-in-progress": boolean };
  readonly strategy?: { readonly matrix: Record<string, unknown[]> };
  readonly steps?: readonly Step[];
  readonly with?: Record<string, string>;
  readonly "timeout-minutes"?: number;
}
interface Workflow {
  readonly on: Record<string, unknown>;
  readonly permissions: unknown;
  readonly env?: unknown;
  readonly jobs: Record<string, Job>;
}

const folder = join(projectRoot, ".github/workflows");
const files = readdirSync(folder);
const texts = Object.fromEntries(files.map((file) => [file, readFileSync(join(folder, file), "utf8")]));
const workflow = (file: string) => parse(texts[file] ?? "") as Workflow;
const jobs = files.flatMap((file) =>
  Object.entries(workflow(file).jobs).map(([name, job]) => ({ at: `${file}: ${name}`, job })),
);
const steps = jobs.flatMap(({ at, job }) => (job.steps ?? []).map((step) => ({ at, step })));
const manifest = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8"));
const stacks = readdirSync(projectRoot).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);

/** Which stacks no workflow touches, and why. */
const byHand: Readonly<Record<string, string>> = { dev: "its database admits its developer's own addresses only" };

test("are these", () => {
  expect(files.sort()).toEqual(["check.yml", "deploy.yml", "preview.yml", "up.yml"]);
});

test("every action is pinned to a commit, with its version beside it, and to the same one everywhere", () => {
  const pins = new Map<string, string>();
  const uses = Object.values(texts).flatMap((text) =>
    [...text.matchAll(/^\s*(?:- )?uses: (.+)$/gm)].map(([, it]) => it!),
  );
  expect(uses.length).toBeGreaterThan(10);
  for (const reference of uses.filter((it) => !it.startsWith("./.github/workflows/"))) {
    const [, action, pin] = /^([\w-]+\/[\w-]+)@([0-9a-f]{40} # v\d+\.\d+\.\d+)$/.exec(reference) ?? [];
    expect(action, reference).toBeDefined();
    expect(pins.get(action!) ?? pin, reference).toBe(pin);
    pins.set(action!, pin!);
  }
  for (const local of uses.filter((it) => it.startsWith("./"))) expect(files).toContain(local.split("/").at(-1));
});

test("nothing is permitted but what a job names, and it names little", () => {
  for (const file of files) expect(workflow(file).permissions, file).toEqual({});
  const allowed: Record<string, string[]> = { contents: ["read"], "id-token": ["write"], "pull-requests": ["write"] };
  for (const { at, job } of jobs) {
    expect(job.permissions, at).toBeDefined();
    for (const [scope, right] of Object.entries(job.permissions ?? {})) expect(allowed[scope], at).toContain(right);
  }
  expect(workflow("check.yml").jobs.check?.permissions).toEqual({ contents: "read" });
  const comments = jobs.filter(({ job }) => job.permissions?.["pull-requests"]).map(({ at }) => at);
  expect(comments).toEqual(["preview.yml: preview"]);
});

test("no long-lived key, no secret and no passphrase stands anywhere", () => {
  for (const [file, text] of Object.entries(texts)) {
    expect(text, file).not.toMatch(/secrets\.|access-key|AWS_SECRET|ACCESS_TOKEN|PASSPHRASE/i);
  }
  const roles = steps.filter(({ step }) => step.uses?.startsWith("aws-actions/"));
  expect(roles).toHaveLength(2);
  for (const { at, step } of roles) expect(step.with?.["role-to-assume"], at).toBe("$" + "{{ vars.AWS_ROLE_ARN }}");
  for (const { at, step } of steps) {
    if (step.uses?.startsWith("actions/checkout@")) expect(step.with?.["persist-credentials"], at).toBe(false);
  }
});

test("a fork's code never meets a role", () => {
  for (const file of files) {
    expect(Object.keys(workflow(file).on), file).not.toContain("pull_request_target");
    expect(Object.keys(workflow(file).on), file).not.toContain("workflow_run");
  }
  const withRole = jobs.filter(({ job }) => job.permissions?.["id-token"] && !job.uses);
  expect(withRole.map(({ at }) => at).sort()).toEqual(["deploy.yml: up", "preview.yml: preview"]);
  for (const { at, job } of withRole) expect(job.environment, at).toMatch(/^\$\{\{ (matrix|inputs)\.stack \}\}/);
  expect(Object.keys(workflow("deploy.yml").on)).toEqual(["workflow_call"]);
  expect(workflow("up.yml").on).toEqual({ push: { branches: ["main"] } });
  expect(workflow("preview.yml").jobs.preview?.if).toContain("head.repo.full_name == github.repository");
});

test("one deployment of a stack at a time, and none broken off; every job ends", () => {
  for (const { at, job } of jobs.filter((it) => !it.job.uses)) {
    expect(job.concurrency?.group, at).toBeDefined();
    expect(job["timeout-minutes"], at).toBeLessThanOrEqual(60);
  }
  const { up } = workflow("deploy.yml").jobs;
  expect(up?.concurrency).toEqual({ group: "up-$" + "{{ inputs.stack }}", "cancel-in-progress": false });
  expect(workflow("preview.yml").jobs.preview?.concurrency?.group).toContain("matrix.stack");
});

test("every stack is previewed and deployed, or known to be deployed by hand", () => {
  const deployed = Object.values(workflow("up.yml").jobs).flatMap((job) => job.with?.stack ?? []);
  const previewed = workflow("preview.yml").jobs.preview?.strategy?.matrix.stack;
  expect(previewed).toEqual(deployed);
  expect([...deployed, ...Object.keys(byHand)].sort()).toEqual(stacks.sort());
});

test("staging waits for the checks, and prod for staging", () => {
  const { check, staging, prod } = workflow("up.yml").jobs;
  expect([check?.uses, staging?.needs, prod?.needs]).toEqual(["./.github/workflows/check.yml", "check", "staging"]);
  expect([staging?.with, prod?.with]).toEqual([{ stack: "staging" }, { stack: "prod" }]);
  expect(workflow("check.yml").jobs.check?.strategy?.matrix.node).toEqual([20, 22, 24]);
});

test("previews and deployments run the policies, with the CLI of the SDK's version", () => {
  const runs = steps.filter(({ step }) => step.uses?.startsWith("pulumi/actions@")).map(({ step }) => step.with);
  const common = {
    policyPacks: "policies",
    "pulumi-version": manifest.dependencies["@pulumi/pulumi"],
    "cloud-url": "$" + "{{ vars.PULUMI_BACKEND_URL }}",
  };
  expect(runs).toHaveLength(2);
  expect(runs).toContainEqual(expect.objectContaining({ ...common, command: "preview", "comment-on-pr": true }));
  expect(runs).toContainEqual(expect.objectContaining({ ...common, command: "up" }));
  expect(readdirSync(join(projectRoot, "policies"))).toContain("PulumiPolicy.yaml");
});

test("commands exist, and nothing from outside is spliced into a shell", () => {
  for (const { at, step } of steps) {
    const script = step.run ?? "";
    expect(script, at).not.toContain("$" + "{{");
    for (const [, name] of script.matchAll(/npm run (?:--silent )?([\w:-]+)/g)) {
      expect(Object.keys(manifest.scripts), at).toContain(name);
    }
    if (script.includes(".ci/run")) expect(readFileSync(join(projectRoot, ".ci/run"), "utf8")).toContain("npm test");
  }
  const scripts = steps.map(({ step }) => step.run).join("\n");
  expect(scripts).toContain("bash .ci/run");
  expect(scripts).toContain("npm run --silent cost");
});
