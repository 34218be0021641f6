/** The GitHub workflows do what docs/deployment.md says; workflowScripts.test.ts tests the scripts that they run. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { projectRoot } from "./support/native";

interface Step {
  readonly name?: string;
  readonly id?: string;
  readonly if?: string;
  readonly shell?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly "timeout-minutes"?: number;
  readonly env?: Record<string, string>;
  readonly with?: Record<string, unknown>;
}
interface Job {
  readonly uses?: string;
  readonly if?: string;
  readonly needs?: string;
  readonly environment?: string;
  readonly outputs?: Record<string, string>;
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

/** Stacks that no workflow deploys → the reason. */
const byHand: Readonly<Record<string, string>> = { dev: "its database accepts its developer's own addresses only" };

test("the workflows are check, deploy, preview and up", () => {
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

test("a workflow permits nothing by default, and each job permits only what it needs", () => {
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

test("no workflow contains a long-lived key, a secret or a passphrase", () => {
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

test("a fork's code never runs with a role", () => {
  for (const file of files) {
    expect(Object.keys(workflow(file).on), file).not.toContain("pull_request_target");
    expect(Object.keys(workflow(file).on), file).not.toContain("workflow_run");
  }
  const withRole = jobs.filter(({ job }) => job.permissions?.["id-token"] && !job.uses);
  expect(withRole.map(({ at }) => at).sort()).toEqual(["deploy.yml: up", "preview.yml: preview"]);
  for (const { at, job } of withRole) expect(job.environment, at).toMatch(/^\$\{\{ (matrix|inputs)\.stack \}\}/);
  expect(Object.keys(workflow("deploy.yml").on)).toEqual(["workflow_call"]);
  expect(workflow("up.yml").on).toEqual({ push: { branches: ["main"] } });
  const { preview } = workflow("preview.yml").jobs;
  expect(preview?.if?.split(" && ")).toEqual([
    "github.event.pull_request.head.repo.full_name == github.repository",
    "github.event.pull_request.user.login != 'dependabot[bot]'",
  ]);
  for (const [file, text] of Object.entries(texts)) expect(text, file).not.toContain("github.actor");
});

test("a job with a role uses no cache, whose contents another run may have written; a checking job uses one", () => {
  for (const { at, job } of jobs) {
    for (const { uses, with: inputs } of job.steps ?? []) {
      if (!uses?.startsWith("actions/setup-node@")) continue;
      const { cache, "package-manager-cache": automatic } = inputs ?? {};
      expect({ cache, automatic }, at).toEqual(
        job.permissions?.["id-token"] ? { cache: undefined, automatic: false } : { cache: "npm", automatic: undefined },
      );
    }
  }
});

test("a stack has one deployment at a time, which is never cancelled; every job has a time limit", () => {
  const running = jobs.filter(({ job }) => !job.uses);
  for (const { at, job } of running) {
    expect(job["timeout-minutes"], at).toBeLessThanOrEqual(at === "deploy.yml: up" ? 240 : 60);
  }
  // This job only reads, and must not wait for a deployment.
  const free = running.filter(({ job }) => !job.concurrency?.group).map(({ at }) => at);
  expect(free).toEqual(["up.yml: newest"]);
  const { up } = workflow("deploy.yml").jobs;
  expect(up?.concurrency).toEqual({ group: "up-$" + "{{ inputs.stack }}", "cancel-in-progress": false });
  expect(workflow("preview.yml").jobs.preview?.concurrency?.group).toContain("matrix.stack");
});

test("a deployment's credentials last as long as the job may run, and the documented role allows that", () => {
  const { up } = workflow("deploy.yml").jobs;
  const [role] = up?.steps?.filter(({ uses }) => uses?.startsWith("aws-actions/")) ?? [];
  const seconds = Number(role?.with?.["role-duration-seconds"]);
  // Changing the database's kind, or adding a standby, may take the provider an hour and more for one resource.
  expect(up?.["timeout-minutes"]).toBeGreaterThanOrEqual(180);
  expect(seconds).toBeGreaterThanOrEqual(60 * up!["timeout-minutes"]!);
  const document = readFileSync(join(projectRoot, "docs/deployment.md"), "utf8");
  expect(document).toContain(`--role-name "github-$STACK" --max-session-duration ${seconds}`);
});

test("every stack is previewed and deployed by a workflow, or listed as deployed by hand", () => {
  const deployed = Object.values(workflow("up.yml").jobs).flatMap((job) => job.with?.stack ?? []);
  const previewed = workflow("preview.yml").jobs.preview?.strategy?.matrix.stack;
  expect(previewed).toEqual(deployed);
  expect([...deployed, ...Object.keys(byHand)].sort()).toEqual(stacks.sort());
});

test("staging waits for the checks, and prod for staging", () => {
  const { check, newest, staging, prod } = workflow("up.yml").jobs;
  expect(check?.uses).toBe("./.github/workflows/check.yml");
  expect([newest?.needs, staging?.needs, prod?.needs]).toEqual(["check", "newest", "staging"]);
  expect([staging?.with, prod?.with]).toEqual([{ stack: "staging" }, { stack: "prod" }]);
  expect(workflow("check.yml").jobs.check?.strategy?.matrix.node).toEqual([20, 22, 24]);
});

test("a commit that is not the newest on main neither joins the queue nor, when its turn comes, gets the role", () => {
  const newestStep = expect.objectContaining({
    id: "newest",
    env: { GH_TOKEN: "$" + "{{ github.token }}" },
    run: "bash .github/newest.sh",
  });
  const checkout = expect.objectContaining({ uses: expect.stringMatching(/^actions\/checkout@/) });

  const { newest, staging } = workflow("up.yml").jobs;
  expect(newest?.steps).toEqual([checkout, newestStep]);
  expect(newest?.permissions).toEqual({ contents: "read" });
  expect(newest?.outputs).toEqual({ newest: "$" + "{{ steps.newest.outputs.newest }}" });
  expect(staging?.if).toBe("needs.newest.outputs.newest == 'true'");

  const stop = expect.objectContaining({ if: "steps.newest.outputs.newest != 'true'", run: "exit 1" });
  const { up } = workflow("deploy.yml").jobs;
  expect(up?.steps?.slice(0, 3)).toEqual([checkout, newestStep, stop]);
  // No later step runs after a failed one.
  for (const step of up?.steps?.slice(3) ?? []) expect(step.if).toBeUndefined();
});

const pulumiVersion = manifest.dependencies["@pulumi/pulumi"];
const backend = "$" + "{{ vars.PULUMI_BACKEND_URL }}";
const pulumiIn = (job: Job | undefined) =>
  (job?.steps ?? []).filter(({ uses }) => uses?.startsWith("pulumi/actions@")).map((step) => step.with);

test("checks, previews and deployments use the CLI of the SDK's version", () => {
  const installed = { "pulumi-version": pulumiVersion };
  expect(pulumiIn(workflow("check.yml").jobs.check)).toEqual([installed]);
  expect(pulumiIn(workflow("preview.yml").jobs.preview)).toEqual([installed]);
  expect(pulumiIn(workflow("deploy.yml").jobs.up)).toEqual([expect.objectContaining(installed)]);
});

test("checks do not skip the tests of the engine", () => {
  const { check } = workflow("check.yml").jobs;
  const [tests] = check?.steps?.filter(({ run }) => run?.includes(".ci/run")) ?? [];
  expect(tests?.env).toEqual({ REQUIRE_PULUMI: "1" });
});

test("previews and deployments run the policies, with the state of their environment", () => {
  const [up] = pulumiIn(workflow("deploy.yml").jobs.up);
  expect(up).toMatchObject({ command: "up", policyPacks: "policies", "cloud-url": backend });

  const { preview } = workflow("preview.yml").jobs;
  const [step] = preview?.steps?.filter(({ run }) => run?.includes("pulumi preview")) ?? [];
  expect(step?.run).toContain('--stack "$STACK" --policy-pack policies');
  expect(step?.env).toEqual({ STACK: "$" + "{{ matrix.stack }}", PULUMI_BACKEND_URL: backend });
  expect(readdirSync(join(projectRoot, "policies"))).toContain("PulumiPolicy.yaml");
});

test("a preview that fails, at any step or by its time limit, is commented; a cancelled one is not", () => {
  const { preview } = workflow("preview.yml").jobs;
  const [step, comment] = preview?.steps?.slice(-2) ?? [];
  expect(step).toMatchObject({ id: "preview" });
  expect(comment).toMatchObject({ if: "$" + "{{ !cancelled() }}", run: "bash .github/comment.sh" });
  expect(comment?.env?.OUTCOME).toBe("$" + "{{ steps.preview.outcome }}");
  expect(step?.["timeout-minutes"]).toBeLessThan(preview!["timeout-minutes"]!);
});

test("no step that runs the pull request's program gets a GitHub token", () => {
  const given = steps.filter(({ step }) => JSON.stringify(step.env ?? {}).includes("github.token"));
  expect(given.map(({ at, step }) => `${at}: ${step.run}`)).toEqual([
    "deploy.yml: up: bash .github/newest.sh",
    "preview.yml: preview: bash .github/comment.sh",
    "up.yml: newest: bash .github/newest.sh",
  ]);
});

test("commands exist, and no expression is inserted into a shell script", () => {
  for (const { at, step } of steps) {
    const script = step.run ?? "";
    expect(script, at).not.toContain("$" + "{{");
    // GitHub sets pipefail only for a named shell.
    if (/[^|]\|(?!\|)/.test(script)) expect(step.shell, at).toBe("bash");
    for (const [, name] of script.matchAll(/npm run (?:--silent )?([\w:-]+)/g)) {
      expect(Object.keys(manifest.scripts), at).toContain(name);
    }
    if (script.includes(".ci/run")) expect(readFileSync(join(projectRoot, ".ci/run"), "utf8")).toContain("npm test");
  }
  const scripts = steps.map(({ step }) => step.run).join("\n");
  expect(scripts).toContain("bash .ci/run");
  expect(scripts).toContain("npm run --silent cost");
});
