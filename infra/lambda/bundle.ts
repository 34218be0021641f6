import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { build, type OutputFile } from "esbuild";
import { leanerPackages } from "./esbuildPlugins";

/**
 * Bundles functions, each from the `index.ts` of its folder below `functions/` and with what it uses of
 * `functions/shared/`, into one minified file for the archive of a CallbackFunction. A callback that captures modules
 * would be serialized object by object, which loses classes' messages and Maps' contents, and the archive would contain
 * whole packages; a bundle is ordinary code and a tenth of the size.
 *
 * @param region where the functions run: the bundles contain only this region's certificate authorities
 * @returns by folder the path of the bundle, relative to `infra/`, where the Pulumi CLI runs the program. The archive
 *   contains the bundle under this path, so it is the same on every machine
 * @throws esbuild's error, with the file and line, if a function does not compile
 */
export async function bundleFunctions<Folder extends string>(
  region: string,
  folders: readonly Folder[],
): Promise<Readonly<Record<Folder, string>>> {
  const key = [region, ...folders].join();
  const outputs = built.get(key) ?? buildFor(region, folders);
  built.set(key, outputs);
  for (const output of await outputs) write(output);
  const paths = folders.map((folder) => [folder, `.build/${region}/${folder}.js`]);
  return Object.fromEntries(paths) as Record<Folder, string>;
}

/** The bundles of this process: the Pulumi CLI evaluates the program once, tests evaluate it many times. */
const built = new Map<string, Promise<OutputFile[]>>();

async function buildFor(region: string, folders: readonly string[]): Promise<OutputFile[]> {
  const { outputFiles } = await build({
    absWorkingDir: path.join(__dirname, "../.."),
    entryPoints: folders.map((folder) => ({ in: `functions/${folder}/index.ts`, out: folder })),
    outdir: path.join(__dirname, "../.build", region),
    bundle: true,
    platform: "node",
    // The oldest Node that the local target supports; Lambda's is newer.
    target: "node20",
    format: "cjs",
    minify: true,
    // Error classes keep their names, which logs and callers rely on (`functions/shared/loggedError.ts`).
    keepNames: true,
    // With the SDK's ES modules esbuild leaves out unused code: a quarter of the SDK's load time at a cold start.
    mainFields: ["module", "main"],
    alias: {
      // mysql2 would include the tables of every character set that MySQL ever had, a third of the archive.
      "iconv-lite": "./functions/bundle-stubs/encodings.ts",
      // The SDK would include every credential provider, of which Lambda uses one.
      "@aws-sdk/credential-provider-node": "./functions/bundle-stubs/credentials.ts",
      // The SDK would include the codecs of event streams, which no operation here uses.
      "@smithy/core/event-streams": "./functions/bundle-stubs/eventStreams.ts",
    },
    // A single remaining `import()` makes Node initialize its loader of ES modules, although the bundle needs no other
    // file.
    supported: { "dynamic-import": false },
    // The SDK checks whether a response's body is one of these; in Node the check alone loads their modules.
    define: { Blob: "undefined", ReadableStream: "undefined" },
    plugins: [leanerPackages(region)],
    legalComments: "none",
    logLevel: "silent",
    write: false,
  });
  return outputFiles;
}

/** Writes a draft and renames it, because another evaluation of the program may be reading the file. */
function write({ path: file, contents }: OutputFile): void {
  if (current(file)?.equals(contents)) return;
  mkdirSync(path.dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, contents);
  renameSync(draft, file);
}

function current(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}
