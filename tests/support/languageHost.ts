/**
 * Previews the program in its own process, as Pulumi's language host does: by Pulumi's entry `cmd/run`, with the
 * options for Node in Pulumi.yaml. This process serves the engine and the resource monitor; no CLI is needed.
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
  /** The error messages that the engine got, without colours; the program's folder is replaced by `PROGRAM`. */
  readonly errors: readonly string[];
  /** Peak memory of the process, in MB. */
  readonly peakMemory: number;
  /** CPU time of the process, in seconds. */
  readonly processorTime: number;
}

export interface HostedOptions {
  /** `namespace:key` → value as text. */
  readonly config: Readonly<Record<string, string>>;
  /** Availability zones that AWS lists. @default three */
  readonly zones?: readonly string[];
  /** The engine refuses every version that the program requires. @default false */
  readonly oldEngine?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** Changes the copy of the program in this folder before it runs. */
  readonly change?: (program: string) => void;
}

/** Time limit of the program (ms). */
const timeLimit = 50_000;

export async function previewHosted(options: HostedOptions): Promise<HostedPreview> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "ecommerce-hosted-"));
  const program = path.join(folder, "program");
  copyProject(["infra", "functions", "schema", "package.json", "tsconfig.json", "Pulumi.yaml"], program);
  options.change?.(program);
  const errors: string[] = [];
  const engine = await serveEngine(options, errors);
  try {
    const result = await runProgram(program, engine.address, options);
    const shown = errors.map((error) => stripVTControlCharacters(error).replaceAll(program, "PROGRAM").trim());
    return { ...result, errors: shown };
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
      // Reporting an error takes a second; an earlier version looped for a minute.
      timeout: timeLimit,
      killSignal: "SIGKILL",
    },
  );
  const [exitCode] = (await once(child, "exit")) as [number | null];
  if (exitCode === null) throw new Error(`The program did not end in ${timeLimit / 1000} s.`);
  const { maxRSS, userCPUTime, systemCPUTime } = JSON.parse(readFileSync(usageFile, "utf8"));
  return { exitCode, peakMemory: maxRSS / 1000, processorTime: (userCPUTime + systemCPUTime) / 1e6 };
}

/** Serves the calls of a preview: every registered resource exists at once, with its inputs as its outputs. */
async function serveEngine(options: HostedOptions, errors: string[]) {
  const { zones = ["a", "b", "c"] } = options;
  // The same copy of gRPC that Pulumi's generated messages use.
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
  const emptyResponse = answer(() => new empty.Empty());
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
    registerResourceOutputs: emptyResponse,
    signalAndWaitForShutdown: emptyResponse,
  } as any);
  const port = await new Promise<number>((resolve, reject) => {
    const credentials = grpc.ServerCredentials.createInsecure();
    server.bindAsync("127.0.0.1:0", credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  return { address: `127.0.0.1:${port}`, stop: () => server.forceShutdown() };
}
