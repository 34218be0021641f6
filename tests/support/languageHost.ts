/**
 * Previews the program in a process of its own, as Pulumi's language host does: by Pulumi's entry `cmd/run`, with the
 * options for Node that Pulumi.yaml names. This process serves the engine and the resource monitor; no CLI is needed.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { stripVTControlCharacters } from "node:util";
import type * as Grpc from "@grpc/grpc-js";
import engineServices from "@pulumi/pulumi/proto/engine_grpc_pb";
import engineMessages from "@pulumi/pulumi/proto/engine_pb";
import providerMessages from "@pulumi/pulumi/proto/provider_pb";
import monitorServices from "@pulumi/pulumi/proto/resource_grpc_pb";
import monitorMessages from "@pulumi/pulumi/proto/resource_pb";
import empty from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { parse } from "yaml";
import { copyProject } from "./copyProject";
import { projectRoot } from "./native";

export interface HostedPreview {
  /** 0 after success, 32 after an error that the program reported. */
  readonly exitCode: number;
  /** The messages that the engine got as errors, without colours; the program's folder is `PROGRAM`. */
  readonly errors: readonly string[];
  /** Most memory that the process had, in MB. */
  readonly peakMemory: number;
  /** Time of the processor that it took, in seconds. */
  readonly processorTime: number;
}

export interface HostedOptions {
  /** `namespace:key` → text. */
  readonly config: Readonly<Record<string, string>>;
  /** Availability zones that AWS lists. @default three */
  readonly zones?: readonly string[];
  /** The engine refuses each version that the program asks for. @default false */
  readonly oldEngine?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** Changes the copy of the program in this folder before it runs. */
  readonly change?: (program: string) => void;
}

/** ms */
const patience = 50_000;

export async function previewHosted(options: HostedOptions): Promise<HostedPreview> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "ecommerce-hosted-"));
  const program = path.join(folder, "program");
  copyProject(["infra", "functions", "schema", "package.json", "tsconfig.json", "Pulumi.yaml"], program);
  options.change?.(program);
  const errors: string[] = [];
  const engine = await serveEngine(options, errors);
  try {
    const { exitCode, ...took } = await runProgram(program, engine.address, options);
    const shown = errors.map((error) => stripVTControlCharacters(error).replaceAll(program, "PROGRAM").trim());
    return { exitCode, errors: shown, ...took };
  } finally {
    engine.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function runProgram(program: string, address: string, { config, env }: HostedOptions) {
  const usageFile = path.join(program, "usage.json");
  const hook = path.join(program, "usage.cjs");
  writeFileSync(
    hook,
    `process.on("exit", () =>
       require("fs").writeFileSync(${JSON.stringify(usageFile)}, JSON.stringify(process.resourceUsage())));`,
  );
  const { runtime, main } = parse(readFileSync(path.join(program, "Pulumi.yaml"), "utf8"));
  const entry = path.join(projectRoot, "node_modules/@pulumi/pulumi/cmd/run");
  const child = spawn(
    process.execPath,
    [
      ...["--require", hook, ...runtime.options.nodeargs.split(" "), entry],
      ...[`--monitor=${address}`, `--engine=${address}`, "--project=ecommerce", "--stack=dev", "--dry-run"],
      ...[`--root-directory=${program}`, `--pwd=${path.join(program, main)}`, path.join(program, main)],
    ],
    {
      cwd: program,
      env: {
        ...process.env,
        NODE_EXTRA_CA_CERTS: "",
        SSL_CERT_FILE: "",
        ...env,
        PULUMI_CONFIG: JSON.stringify(config),
      },
      stdio: "ignore",
      // Reporting an error takes a second; it once looped for a minute.
      timeout: patience,
      killSignal: "SIGKILL",
    },
  );
  const [exitCode] = (await once(child, "exit")) as [number | null];
  if (exitCode === null) throw new Error(`The program did not end in ${patience / 1000} s.`);
  const { maxRSS, userCPUTime, systemCPUTime } = JSON.parse(readFileSync(usageFile, "utf8"));
  return { exitCode, peakMemory: maxRSS / 1000, processorTime: (userCPUTime + systemCPUTime) / 1e6 };
}

/** Serves what a preview needs: every resource exists as soon as it is registered, with its inputs as its outputs. */
async function serveEngine(options: HostedOptions, errors: string[]) {
  const { zones = ["a", "b", "c"] } = options;
  // The copy that Pulumi's own messages were made with.
  const grpc: typeof Grpc = createRequire(require.resolve("@pulumi/pulumi"))("@grpc/grpc-js");
  const answer =
    (work: (request: any) => unknown) =>
    ({ request }: { request: any }, done: (error: unknown, response?: unknown) => void) => {
      try {
        done(null, work(request));
      } catch (error) {
        done({ code: grpc.status.INTERNAL, message: String(error) });
      }
    };
  const nothing = answer(() => new empty.Empty());
  const server = new grpc.Server({ "grpc.max_receive_message_length": -1 });
  server.addService(engineServices.EngineService, {
    log: answer((request) => {
      if (request.getSeverity() === engineMessages.LogSeverity.ERROR) errors.push(request.getMessage());
      return new empty.Empty();
    }),
    requirePulumiVersion: answer(() => {
      if (options.oldEngine) throw new Error("Pulumi CLI version 3.100.0 does not satisfy the version range");
      return new engineMessages.RequirePulumiVersionResponse();
    }),
    getRootResource: answer(() => new engineMessages.GetRootResourceResponse()),
    setRootResource: answer(() => new engineMessages.SetRootResourceResponse()),
  } as any);
  server.addService(monitorServices.ResourceMonitorService, {
    supportsFeature: answer(() => {
      const response = new monitorMessages.SupportsFeatureResponse();
      response.setHassupport(true);
      return response;
    }),
    registerPackage: answer(() => {
      const response = new monitorMessages.RegisterPackageResponse();
      response.setRef("package");
      return response;
    }),
    registerResource: answer((request) => {
      const response = new monitorMessages.RegisterResourceResponse();
      response.setUrn(`urn:pulumi:dev::ecommerce::${request.getType()}::${request.getName()}`);
      if (request.getCustom()) response.setId(`${request.getName()}-id`);
      response.setObject(request.getObject());
      return response;
    }),
    invoke: answer(() => {
      const response = new providerMessages.InvokeResponse();
      const zoneIds = zones.map((_, index) => `use1-az${index + 4}`);
      response.setReturn(Struct.fromJavaScript({ names: [...zones], zoneIds }));
      return response;
    }),
    registerResourceOutputs: nothing,
    signalAndWaitForShutdown: nothing,
  } as any);
  const port = await new Promise<number>((resolve, reject) => {
    const credentials = grpc.ServerCredentials.createInsecure();
    server.bindAsync("127.0.0.1:0", credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  return { address: `127.0.0.1:${port}`, stop: () => server.forceShutdown() };
}
