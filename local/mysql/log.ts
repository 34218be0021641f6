import { readFile } from "node:fs/promises";
import { CommandError } from "../../cli/commandError";

/** @returns a CommandError with the first errors of the server's log and the path of the log */
export async function failureOf(what: string, logFile: string): Promise<CommandError> {
  const lines = (await readFile(logFile, "utf8").catch(() => "")).trim().split("\n");
  const errors = lines.filter((line) => line.includes("[ERROR]"));
  const text = (errors.length > 0 ? errors : lines)
    .slice(0, 3)
    .map((line) => line.replace(/^\S+ \d+ \[ERROR\] (\[[^\]]*\] )*/, ""))
    .join(" ");
  return new CommandError(`${what}: ${text || "its log is empty"} (the whole log: ${logFile})`);
}
