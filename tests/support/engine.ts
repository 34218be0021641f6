/**
 * Runs the whole program with the Pulumi CLI: the real engine, state and language host, and stand-ins for the providers
 * (`tests/engine/standin/`). Everything is in a temporary folder: a copy of the program, the state and the plugins.
 */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
} from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import type { DiagnosticEvent, EngineEvent, PolicyEvent, Stack as PulumiStack } from "@pulumi/pulumi/automation";
import { version } from "@pulumi/pulumi/package.json";
import { parseDocument } from "yaml";
import { Cloud } from "../engine/standin/cloud";
import { asRoot, clear, type ServerKind, type Servers } from "../engine/standin/mysqlServer";
import { copyProject } from "./copyProject";
import type { TestMySql } from "./mysql";
import { projectRoot } from "./native";

const run = promisify(execFile);

/** The first folder of the PATH that contains the program; undefined if none does. */
export const onPath = (program: string) =>
  (process.env.PATH ?? "").split(path.delimiter).find((folder) => {
    try {
      accessSync(path.join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** The stand-ins are started by shell scripts. */
export const hasPulumi = process.platform !== "win32" && onPath("pulumi") !== undefined;
export const howToGetPulumi = "needs the Pulumi CLI on the PATH: https://www.pulumi.com/docs/iac/download-install/";
if (process.env.REQUIRE_PULUMI === "1" && !hasPulumi) {
  throw new Error(
    `REQUIRE_PULUMI=1 forbids skipping a test that ${howToGetPulumi}. Install it, or unset the variable.`,
  );
}

/** One operation that the engine did, or would do. */
export interface Step {
  /** `create`, `update`, `replace`, `delete`, … */
  readonly op: string;
  readonly type: string;
  readonly name: string;
  /** Inputs that the provider reports as changed. */
  readonly changed: readonly string[];
}

export interface Run {
  /** The error, or undefined after success. */
  readonly failure: string | undefined;
  /** All operations that were or would be done, without unchanged resources and resources that are only read. */
  readonly steps: readonly Step[];
  /** The engine's own count at the end: operation → number of resources. */
  readonly summary: Readonly<Record<string, number>>;
  readonly warnings: readonly string[];
  readonly errors: readonly string[];
  readonly violations: readonly PolicyEvent[];
  readonly outputs: Readonly<Record<string, unknown>>;
}

export interface Engine {
  /** The resources that exist in the stand-in for AWS. */
  readonly cloud: Cloud;
  /** Removes the server with its content, as a deletion in the console would. */
  lose(kind: ServerKind): Promise<void>;
  /** Rows of a statement on the server, as its root. */
  sql(kind: ServerKind, statement: string): Promise<unknown>;
  /** Changes settings of the stack's file: dotted key of the project → value. */
  set(settings: Readonly<Record<string, unknown>>): Promise<void>;
  preview(options?: { policyPack?: string }): Promise<Run>;
  up(): Promise<Run>;
  refresh(): Promise<Run>;
  /** The preview of `pulumi destroy`: what would be deleted. */
  previewDestroy(): Promise<Run>;
  /** The same as `pulumi destroy --skip-preview`. */
  destroy(): Promise<Run>;
  /** Runs another command of the CLI on the stack. @throws Error with its output if it fails */
  command(...args: string[]): Promise<void>;
  /**
   * Runs lines of a document in a POSIX shell, in the program's folder. There `pulumi` confirms by itself, and the
   * variable STACK is set.
   * @returns their output @throws Error with their output if one fails
   */
  shell(lines: string): Promise<string>;
  /** Identifiers of the resources in the state (URNs of resources without one); empty after everything is destroyed. */
  remembered(): Promise<string[]>;
  /** Everything that the CLI stored on disk: the state, its backups and its history. */
  stored(): string;
  dispose(): Promise<void>;
}

export interface EngineOptions {
  /** The stack; its file is copied. @default dev */
  readonly stack?: string;
  /** Settings that override those of the stack's file. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** The server behind an instance. Without a server, a stack with public access can only be previewed. */
  readonly mysql?: TestMySql;
  /** The server behind an Aurora cluster. */
  readonly aurora?: TestMySql;
}

/** The program's files, and the project files that the CLI reads. */
const copied = ["infra", "functions", "schema", "policies", "package.json", "tsconfig.json", "Pulumi.yaml"];

export async function startEngine(options: EngineOptions = {}): Promise<Engine> {
  const { LocalWorkspace, PulumiCommand, Stack } = await import("@pulumi/pulumi/automation/index.js");
  const stackName = options.stack ?? "dev";
  const folder = mkdtempSync(path.join(os.tmpdir(), "ecommerce-engine-"));
  const program = path.join(folder, "program");
  const stackFile = `Pulumi.${stackName}.yaml`;
  const names = [...copied, stackFile].filter((file) => existsSync(path.join(projectRoot, file)));
  copyProject(names, program);
  await installPlugins(path.join(folder, "home", "plugins"));
  const cloud = new Cloud(path.join(folder, "cloud"));
  mkdirSync(path.join(folder, "state"));

  const pulumiCommand = await PulumiCommand.get({ skipVersionCheck: true });
  // A CLI that was built from source reports no version, which the workspace needs.
  const { parse } = createRequire(require.resolve("@pulumi/pulumi"))("semver");
  if (pulumiCommand.version === null) Object.assign(pulumiCommand, { version: parse(version) });

  const servers: Servers = {
    ...(options.mysql && { instance: options.mysql }),
    ...(options.aurora && { cluster: options.aurora }),
  };
  // The CA certificates of the test servers: for the schema's own connection, and for the mysql provider.
  const authorities = path.join(folder, "authorities.pem");
  await writeFile(
    authorities,
    Object.values(servers)
      .map(({ caFile }) => readFileSync(caFile, "utf8"))
      .join("\n"),
  );
  const trusted = Object.keys(servers).length > 0 ? authorities : "";
  const workspace = await LocalWorkspace.create({
    workDir: program,
    pulumiHome: path.join(folder, "home"),
    pulumiCommand,
    envVars: {
      PULUMI_BACKEND_URL: `file://${path.join(folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: randomBytes(16).toString("hex"),
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      STANDIN_CLOUD: cloud.folder,
      STANDIN_MYSQL: JSON.stringify(servers),
      // Override the values of the person who runs the tests.
      NODE_EXTRA_CA_CERTS: trusted,
      SSL_CERT_FILE: trusted,
    },
  });
  const set = async (settings: Readonly<Record<string, unknown>>) => {
    const file = path.join(program, stackFile);
    const document = parseDocument(readFileSync(file, "utf8"));
    for (const [key, value] of Object.entries(settings)) {
      const [first, ...rest] = key.split(".");
      document.setIn(["config", `ecommerce:${first}`, ...rest], value);
    }
    await writeFile(file, String(document));
  };
  const stack = await Stack.create(stackName, workspace);
  await set(options.settings ?? {});

  const environment = { ...process.env, ...workspace.envVars, PULUMI_HOME: path.join(folder, "home") };

  return {
    cloud,
    async lose(kind) {
      const lost = /^aws:rds\/(instance|cluster|clusterInstance):/;
      for (const { type, id } of cloud.things()) if (lost.test(type)) cloud.remove(type, id);
      await clear(servers[kind]);
    },
    async sql(kind, statement) {
      let rows: unknown;
      await asRoot(servers[kind], async (connection) => {
        [rows] = await connection.query(statement);
      });
      return rows;
    },
    set,
    preview: ({ policyPack } = {}) =>
      observed(stack, (onEvent) =>
        stack.preview({ onEvent, ...(policyPack && { policyPacks: [path.join(program, policyPack)] }) }),
      ),
    up: () => observed(stack, (onEvent) => stack.up({ onEvent })),
    refresh: () => observed(stack, (onEvent) => stack.refresh({ onEvent })),
    previewDestroy: () => observed(stack, (onEvent) => stack.previewDestroy({ onEvent })),
    destroy: () => observed(stack, (onEvent) => stack.destroy({ onEvent })),
    command: async (...args) => {
      await run("pulumi", [...args, "--stack", stackName, "--non-interactive"], { cwd: program, env: environment });
    },
    shell: async (lines) => {
      // Confirms every question.
      const yes =
        'pulumi() { case "$1" in up|refresh|destroy|cancel|import) set -- "$@" --yes;; esac; command pulumi "$@"; }';
      const env = { ...environment, STACK: stackName };
      const options = { cwd: program, env, maxBuffer: 1e8 };
      return run("sh", ["-euc", `${yes}\n${lines}`], options).then(
        ({ stdout }) => stdout,
        ({ message, stdout, stderr }) => {
          throw new Error(`${message}\n${stdout}\n${stderr}`);
        },
      );
    },
    remembered: async () => {
      const { resources = [] } = (await stack.exportStack()).deployment;
      return resources.map(({ id, urn }: { id?: string; urn: string }) => id ?? urn);
    },
    stored: () =>
      readdirSync(path.join(folder, "state"), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), "utf8"))
        .join("\n"),
    dispose: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Puts the stand-ins where the CLI looks for the providers' plugins, under the versions of the installed packages. */
async function installPlugins(folder: string): Promise<void> {
  const modules = path.join(projectRoot, "node_modules");
  const main = path.join(projectRoot, "tests/engine/standin/main.ts");
  const standIn = `"${process.execPath}" --require "${path.join(modules, "tsx/dist/cjs/index.cjs")}" "${main}"`;
  const programs: Record<string, string> = {
    aws: `${standIn} aws`,
    mysql: `${standIn} mysql`,
    random: `${standIn} random`,
    // The real plugin for dynamic resources. An installed CLI contains it, a CLI built from source does not.
    "pulumi-nodejs": `"${process.execPath}" "${path.join(modules, "@pulumi/pulumi/cmd/dynamic-provider")}"`,
  };
  for (const [name, command] of Object.entries(programs)) {
    const of = name === "pulumi-nodejs" ? "pulumi" : name;
    const plugin = path.join(folder, `resource-${name}-v${require(`@pulumi/${of}/package.json`).version}`);
    const file = path.join(plugin, `pulumi-resource-${name}`);
    mkdirSync(plugin, { recursive: true });
    await writeFile(file, `#!/bin/sh\nexec ${command} "$@"\n`);
    chmodSync(file, 0o755);
  }
}

async function observed(
  stack: PulumiStack,
  command: (onEvent: (event: EngineEvent) => void) => Promise<unknown>,
): Promise<Run> {
  const events: EngineEvent[] = [];
  const failure = await command((event) => events.push(event)).then(
    () => undefined,
    (error: Error) => error.message,
  );
  const diagnostics = (severity: DiagnosticEvent["severity"]) =>
    events.flatMap(({ diagnosticEvent: event }) =>
      event?.severity === severity ? [plain(`${event.prefix ?? ""}${event.message}`)] : [],
    );
  const errors = diagnostics("error");
  const steps = events.flatMap(({ resourcePreEvent: event }) => {
    if (!event || ["same", "refresh", "read"].includes(event.metadata.op)) return [];
    const { op, urn, diffs } = event.metadata;
    const [, , types = "", name = ""] = urn.split("::");
    return [{ op, type: types.slice(types.lastIndexOf("$") + 1), name, changed: diffs ?? [] }];
  });
  const outputs = Object.entries(failure === undefined ? await stack.outputs() : {});
  return {
    // The engine's errors; the CLI's whole output if it reported none.
    failure: failure && (errors.join("\n") || plain(failure)),
    steps,
    summary: { ...events.find(({ summaryEvent }) => summaryEvent)?.summaryEvent?.resourceChanges },
    warnings: diagnostics("warning"),
    errors,
    violations: events.flatMap(({ policyEvent }) => (policyEvent ? [policyEvent] : [])),
    outputs: Object.fromEntries(outputs.map(([key, { value }]) => [key, value])),
  };
}

/** Removes the engine's marks for colours. */
const plain = (text: string) => text.replace(/<\{%.*?%\}>/g, "").trim();
