import { findSourceMap } from "node:module";
import path from "node:path";

/**
 * Formats an error's stack trace with the lines of the program's sources, and leaves the lines of packages as they are.
 *
 * Pulumi's entry installs `source-map-support`, which does the opposite: it ignores the maps that tsx makes, so that
 * each frame of the program is in line 2, and follows those of packages to files that no package contains. One of them,
 * `node_modules/@pulumi/resource.ts`, has no `/` after the package's scope. With this path the coloured `util.inspect`
 * of Node 20 and 22, with which Pulumi reports errors, loops until its text reaches the maximum length of a string: 15
 * seconds and 3 GB.
 */
export function formatStackTrace(error: Error, frames: readonly NodeJS.CallSite[]): string {
  return [Error.prototype.toString.call(error), ...frames.map((frame) => `    at ${inSource(frame)}`)].join("\n");
}

function inSource(frame: NodeJS.CallSite): string {
  const [text, file, line, column] = [
    String(frame),
    frame.getFileName(),
    frame.getLineNumber(),
    frame.getColumnNumber(),
  ];
  if (!file || !line || !column || file.split(path.sep).includes("node_modules")) return text;
  const entry = findSourceMap(file)?.findEntry(line - 1, column - 1);
  if (entry === undefined || !("originalLine" in entry)) return text;
  return text.replace(`:${line}:${column}`, `:${entry.originalLine + 1}:${entry.originalColumn + 1}`);
}

// Set before the rest of the program is loaded, because loading may fail too. Under Pulumi only: other processes, such
// as Vitest, have formats of their own.
const pulumiEntry = path.join("@pulumi", "pulumi", "cmd", "run", "index.js");
if (require.main?.filename.endsWith(pulumiEntry)) Error.prepareStackTrace = formatStackTrace;
