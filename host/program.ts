import { join, resolve } from "node:path";
import type { Inputs } from "@pulumi/pulumi";
import * as pulumi from "@pulumi/pulumi";
import type { CreateResult, ResourceRegistration } from "./resources";
import { defaultRegion, project } from "./stackConfig";
import { unwrapSecrets } from "./unwrapSecrets";

export interface ProgramOptions {
  readonly stack: string;
  /** The stack's configuration: `namespace:key` → text, as Pulumi hands it to a program. */
  readonly values: Readonly<Record<string, string>>;
  /** What the program reads as its environment. @default this process's own */
  readonly environment?: NodeJS.ProcessEnv;
  /** Makes one resource; called once for each, in the order of their dependencies. */
  make(resource: ResourceRegistration): Promise<CreateResult>;
}

export interface Evaluation {
  /** The stack's outputs, resolved, secrets unwrapped. */
  readonly outputs: Record<string, unknown>;
}

const providerPrefix = "pulumi:providers:";

/**
 * Evaluates `infra/` in this process, with every resource that it registers handed to `make`. Pulumi's unit-test mocks
 * are the door: a resource is registered only after those that it depends on were answered, with their real outputs.
 *
 * @throws the first error of `make` or of the program, when no `make` is under way any more; after it nothing else is
 *   asked for
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
  // Pulumi leaves the promises of resources that depend on a failed one rejected, with nobody to hear them.
  process.on("unhandledRejection", fail);

  const newResource = async (args: pulumi.runtime.MockResourceArgs): Promise<pulumi.runtime.MockResourceResult> => {
    const inputs = await withAbsolutePaths(unwrapSecrets(args.inputs) as Record<string, unknown>);
    // The rest of a program that has failed is neither made nor refused: it ends here, without a word.
    if (failed) return new Promise(() => {});
    const providerInputs = args.provider ? providers.get(providerName(args.provider)) : undefined;
    try {
      if (args.custom === false || args.type === "pulumi:pulumi:Stack") return { id: undefined, state: inputs };
      if (args.type.startsWith(providerPrefix)) providers.set(args.name, inputs);
      const resource = { type: args.type, name: args.name, inputs, ...(providerInputs ? { providerInputs } : {}) };
      const begun = make(resource);
      making.add(begun);
      const made = await begun.finally(() => making.delete(begun));
      return { id: made.id, state: { ...inputs, ...made.outputs } };
    } catch (error) {
      fail(error);
      throw error;
    }
  };

  pulumi.runtime.setAllConfig({ ...values });
  await pulumi.runtime.setMocks(
    { newResource, call: answersFor(values["aws:region"] ?? defaultRegion) },
    project,
    stack,
    false,
  );
  return inProgramFolder(async () => {
    try {
      const outputs = await Promise.race([pulumi.runtime.runInPulumiStack(() => preload()(environment)), failure]);
      // Resources that no output depends on may still be on their way.
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
 * Does the work in `infra/`, where the Pulumi CLI runs the program: Pulumi finds and names the files of a function's
 * archive by the working directory. Afterwards the process is where it was. One such work at a time.
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

/** The inputs with the files and folders of archives named from the root: the program names them from where it runs. */
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

/** Answers what the program asks of AWS while it is evaluated. */
function answersFor(region: string) {
  return ({ token, inputs }: pulumi.runtime.MockCallArgs): Record<string, unknown> => {
    if (token === "aws:index/getAvailabilityZones:getAvailabilityZones") {
      const letters = ["a", "b", "c"];
      const names = letters.map((letter) => `${region}${letter}`);
      return { ...inputs, names, zoneIds: letters.map((_, index) => `${zonePrefix(region)}-az${index + 4}`) };
    }
    throw new Error(`The local target has no answer for ${token}, which the program asks; add it to host/program.ts.`);
  };
}

/** `us-east-1` → `use1`, `ap-southeast-2` → `apse2`: how AWS begins the IDs of a region's zones. */
const zonePrefix = (region: string) =>
  region.replace(
    /-(north|south|central)?(east|west)?-?/g,
    (_, first = "", second = "") => first.charAt(0) + second.charAt(0),
  );
