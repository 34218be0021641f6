import { join, resolve } from "node:path";
import type { Inputs } from "@pulumi/pulumi";
import * as pulumi from "@pulumi/pulumi";
import type { CreateResult, ResourceRegistration } from "./resources";
import { defaultRegion, project } from "./stackConfig";
import { unwrapSecrets } from "./unwrapSecrets";

export interface ProgramOptions {
  readonly stack: string;
  /** The stack's configuration: `namespace:key` → text, as Pulumi passes it to a program. */
  readonly values: Readonly<Record<string, string>>;
  /** The environment variables that the program reads. @default this process's own */
  readonly environment?: NodeJS.ProcessEnv;
  /** Creates one resource; called once for each, in the order of their dependencies. */
  make(resource: ResourceRegistration): Promise<CreateResult>;
}

export interface Evaluation {
  /** The stack's outputs, resolved, secrets unwrapped. */
  readonly outputs: Record<string, unknown>;
}

const providerPrefix = "pulumi:providers:";

/**
 * Evaluates `infra/` in this process and calls `make` for every resource that the program registers. It uses the mocks
 * that Pulumi has for unit tests: the program registers a resource only after `make` has returned the real outputs of
 * those that it depends on.
 *
 * @throws the first error of `make` or of the program, after every running `make` has ended; no `make` is called after
 *   that error
 */
export async function evaluate({ stack, values, environment, make }: ProgramOptions): Promise<Evaluation> {
  const providers = new Map<string, Inputs>();
  const making = new Set<Promise<CreateResult>>();
  let failed = false;
  let fail!: (error: unknown) => void;
  const failure = new Promise<never>((_, reject) => {
    fail = (error) => {
      failed = true;
      reject(error);
    };
  });
  failure.catch(() => {});
  // Pulumi rejects the promises of resources that depend on a failed one, and handles none of these rejections.
  process.on("unhandledRejection", fail);

  const newResource = async (args: pulumi.runtime.MockResourceArgs): Promise<pulumi.runtime.MockResourceResult> => {
    const inputs = await withAbsolutePaths(unwrapSecrets(args.inputs) as Record<string, unknown>);
    // After a failure the rest of the program's resources stay pending: they are neither created nor rejected.
    if (failed) return new Promise(() => {});
    const providerInputs = args.provider ? providers.get(providerName(args.provider)) : undefined;
    try {
      if (args.custom === false || args.type === "pulumi:pulumi:Stack") return { id: undefined, state: inputs };
      if (args.type.startsWith(providerPrefix)) providers.set(args.name, inputs);
      const resource = { type: args.type, name: args.name, inputs, ...(providerInputs ? { providerInputs } : {}) };
      const creation = make(resource);
      making.add(creation);
      const { id, outputs } = await creation.finally(() => making.delete(creation));
      return { id, state: { ...inputs, ...outputs } };
    } catch (error) {
      fail(error);
      throw error;
    }
  };

  pulumi.runtime.setAllConfig({ ...values });
  await pulumi.runtime.setMocks(
    { newResource, call: providerFunctions(values["aws:region"] ?? defaultRegion) },
    project,
    stack,
    false,
  );
  return inProgramFolder(async () => {
    try {
      const outputs = await Promise.race([pulumi.runtime.runInPulumiStack(() => preload()(environment)), failure]);
      // Resources that no output depends on may still be pending.
      await Promise.race([pulumi.runtime.disconnect(), failure]);
      process.off("unhandledRejection", fail);
      return { outputs: unwrapSecrets(outputs) as Record<string, unknown> };
    } finally {
      await Promise.allSettled(making);
    }
  });
}

const programFolder = join(__dirname, "../infra");

/**
 * Runs `work` with `infra/` as the working directory, as the Pulumi CLI runs the program: Pulumi finds and names the
 * files of a function's archive relative to it. Restores the working directory afterwards. Calls must not overlap.
 */
export async function inProgramFolder<T>(work: () => Promise<T>): Promise<T> {
  const before = process.cwd();
  process.chdir(programFolder);
  try {
    return await work();
  } finally {
    process.chdir(before);
  }
}

/** The inputs with absolute paths of the files and folders of archives: the program's are relative to `infra/`. */
async function withAbsolutePaths(inputs: Record<string, unknown>): Promise<Record<string, unknown>> {
  const entries = Object.entries(inputs).map(async ([key, value]) => [key, await located(value)]);
  return Object.fromEntries(await Promise.all(entries));
}

async function located(value: unknown): Promise<unknown> {
  const { AssetArchive, FileArchive, FileAsset } = pulumi.asset;
  if (value instanceof FileAsset) return new FileAsset(resolve(programFolder, await value.path));
  if (value instanceof FileArchive) return new FileArchive(resolve(programFolder, await value.path));
  if (!(value instanceof AssetArchive)) return value;
  const assets = Object.entries(await value.assets).map(async ([name, asset]) => [name, await located(asset)]);
  return new AssetArchive(Object.fromEntries(await Promise.all(assets)));
}

/** Loads the program, which takes a second the first time, without evaluating it. */
export const preload = () => require(programFolder) as (environment?: NodeJS.ProcessEnv) => Promise<Inputs>;

/** `urn:…::name::id` → name */
const providerName = (reference: string) => reference.split("::").at(-2) ?? "";

/** Returns the results of the provider functions that the program calls, such as `aws.getAvailabilityZones`. */
function providerFunctions(region: string) {
  return ({ token, inputs }: pulumi.runtime.MockCallArgs): Record<string, unknown> => {
    if (token === "aws:index/getAvailabilityZones:getAvailabilityZones") {
      const letters = ["a", "b", "c"];
      const names = letters.map((letter) => `${region}${letter}`);
      return { ...inputs, names, zoneIds: letters.map((_, index) => `${zonePrefix(region)}-az${index + 4}`) };
    }
    throw new Error(`The program calls ${token}, which the local target does not have; add it to host/program.ts.`);
  };
}

/** `us-east-1` → `use1`, `ap-southeast-2` → `apse2`: the prefix of the IDs of a region's zones. */
const zonePrefix = (region: string) =>
  region.replace(
    /-(north|south|central)?(east|west)?-?/g,
    (_, first = "", second = "") => first.charAt(0) + second.charAt(0),
  );
