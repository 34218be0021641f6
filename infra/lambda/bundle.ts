import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { build, type OutputFile } from "esbuild";
import { leanerPackages } from "./esbuildPlugins";

/**
 * Bundles functions, each from the `index.ts` of its folder below `functions/` and with what it uses of
 * `functions/shared/`, into one minified file for the archive of a CallbackFunction. A callback that captures modules
 * would be serialized piece by piece, which loses classes' messages and Maps' contents, and the archive would carry
 * whole packages; a bundle is ordinary code and a tenth of the size.
 *
 * @param region where the functions run: only its databases' authorities are in the bundles
 * @returns by folder the path of the bundle, relative to this folder, where the Pulumi CLI runs the program: what an
 *   archive holds is named by it, the same on every machine
 * @throws esbuild's error, with the file and line, where a function does not compile
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

/** What this process has bundled: the Pulumi CLI evaluates the program once, tests do so many times. */
const built = new Map<string, Promise<OutputFile[]>>();

async function buildFor(region: string, folders: readonly string[]): Promise<OutputFile[]> {
  const { outputFiles } = await build({
    absWorkingDir: path.join(__dirname, "../.."),
    entryPoints: folders.map((folder) => ({ in: `functions/${folder}/index.ts`, out: folder })),
    outdir: path.join(__dirname, "../.build", region),
    bundle: true,
    platform: "node",
    // Runs as it is on Lambda's Node and on the oldest that the local target supports.
    target: "node20",
    format: "cjs",
    minify: true,
    // Error classes keep their names, which logs and callers go by (`functions/shared/loggedError.ts`).
    keepNames: true,
    // The SDK's ES modules let esbuild leave out what nobody calls: a quarter of the time that a cold start loads it.
    mainFields: ["module", "main"],
    alias: {
      // mysql2 would bring the tables of every character set that MySQL ever knew, a third of the archive.
      "iconv-lite": "./functions/bundle-stubs/encodings.ts",
      // The SDK would bring every way to find credentials, of which Lambda uses one.
      "@aws-sdk/credential-provider-node": "./functions/bundle-stubs/credentials.ts",
      // The SDK would bring the codecs of streams of events, which no operation here has.
      "@smithy/core/event-streams": "./functions/bundle-stubs/eventStreams.ts",
    },
    // With one `import()` that is left, Node makes its loader of ES modules ready, although all there is to load is here.
    supported: { "dynamic-import": false },
    // The SDK asks whether an answer's body is one of these; where Node has them, asking alone loads their modules.
    define: { Blob: "undefined", ReadableStream: "undefined" },
    plugins: [leanerPackages(region)],
    legalComments: "none",
    logLevel: "silent",
    write: false,
  });
  return outputFiles;
}

/** Renamed into place: another evaluation of the program may be reading the file. */
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
