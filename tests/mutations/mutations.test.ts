/**
 * Wrong infrastructure is caught: one thing at a time is changed in what the program registers, and each change must be
 * noticed by what `docs/caught.md` names: the start, a story told on the started system, or the documented settings.
 */
import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ResourceRegistration } from "../../host/resources";
import { documentedSettings } from "../infra/documentedSettings";
import { startTestServer, type TestServer } from "../support/mysql";
import { projectRoot } from "../support/native";
import { type Recorded, recorded, recordProgram } from "../support/program";
import type { Change } from "./changes";
import { caughtDocument } from "./document";
import { mutations, sections } from "./mutations";
import type { Outcome } from "./run";

/** What one start and its story take is 1 to 6 s. */
const longestWait = 120_000;

let server: TestServer;
let program: Recorded;
let runner: Runner;
beforeAll(async () => {
  server = await startTestServer();
  runner = new Runner(server);
  program = await recordProgram();
});
afterAll(async () => {
  await runner?.end();
  await server?.dispose();
});

/** The process that runs `run.ts`, and what it has told so far. */
class Runner {
  readonly #folder = mkdtempSync(path.join(tmpdir(), "mutations-"));
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #outcomes = new Map<string, Outcome>();
  #failure: Error | undefined;
  #output = "";
  #notify: () => void = () => {};

  constructor({ user, password, port }: TestServer) {
    this.#process = fork(path.join(__dirname, "run.ts"), {
      cwd: projectRoot,
      // A larger heap for young objects: fewer collections, which take a tenth of the time otherwise.
      execArgv: ["--max-semi-space-size=64", "--require", "tsx/cjs"],
      env: {
        ...process.env,
        AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
        MUTATIONS_FOLDER: this.#folder,
        MUTATIONS_MYSQL_URL: `mysql://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}`,
      },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    for (const stream of [this.#process.stdout!, this.#process.stderr!]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.#output += text;
      });
    }
    this.#process.on("message", (outcome: Outcome) => {
      this.#outcomes.set(outcome.name, outcome);
      this.#notify();
    });
    this.#ended = new Promise((resolve) => {
      this.#process.once("close", (code, signal) => {
        this.#failure = new Error(`run.ts ended (${signal ?? code}):\n${this.#output}`);
        this.#notify();
        resolve();
      });
    });
  }

  /** They come in the order of the table. @throws Error where the process ended before, or is silent for too long */
  async outcome(name: string): Promise<Outcome> {
    while (!this.#outcomes.has(name)) {
      if (this.#failure) throw this.#failure;
      const timer = setTimeout(() => this.#process.kill("SIGKILL"), longestWait);
      await new Promise<void>((resolve) => {
        this.#notify = resolve;
      });
      clearTimeout(timer);
    }
    return this.#outcomes.get(name)!;
  }

  async end(): Promise<void> {
    if (this.#process.exitCode === null) this.#process.kill("SIGKILL");
    await this.#ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The checks of the documented settings that fail on the recorded program with a change, as `row: … check`. */
async function failingChecks(change: Change): Promise<string[]> {
  const resources: ResourceRegistration[] = [];
  const make = change(async (resource) => {
    resources.push(resource);
    return { id: resource.name, outputs: {} };
  });
  for (const resource of program.resources) await make(resource);

  const changed = recorded(resources, program.outputs);
  const titles: string[] = [];
  const failing: string[] = [];
  documentedSettings(
    (title, body) => {
      titles.push(title);
      body();
      titles.pop();
    },
    (title, check) => {
      try {
        check();
      } catch {
        failing.push([...titles, title].join(", "));
      }
    },
    () => changed,
  );
  return failing;
}

it("finds nothing wrong where nothing is changed, before and after an edit", async () => {
  expect(await runner.outcome("no change")).not.toHaveProperty("refused");
  expect((await runner.outcome("no change")).failed).toBeUndefined();
  expect(await failingChecks((make) => make)).toEqual([]);
});

describe.each(Object.entries(sections))("%s", (_, changes) => {
  it.each(changes.map((mutation) => [mutation.name, mutation] as const))("%s", async (name, { caughtBy, change }) => {
    const { refused, failed } = await runner.outcome(name);
    if ("start" in caughtBy) {
      expect(refused).toContain(caughtBy.start);
      return;
    }
    expect(refused).toBeUndefined();
    if ("story" in caughtBy) {
      expect(failed).toEqual({ step: caughtBy.story, message: expect.stringContaining(caughtBy.says ?? "") });
      return;
    }
    expect(failed).toBeUndefined();
    const rows = (await failingChecks(change)).map((check) => check.split(":")[0]);
    expect(rows).toContain(caughtBy.row);
  });
});

it("stands in docs/caught.md, which `node_modules/.bin/tsx tests/mutations/document.ts` writes", () => {
  expect(new Set(mutations.map(({ name }) => name)).size).toBe(mutations.length);
  expect(readFileSync(path.join(projectRoot, "docs/caught.md"), "utf8")).toBe(caughtDocument());
});
