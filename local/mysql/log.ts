import { readFile } from "node:fs/promises";
import { CommandError } from "../../cli/commandError";

/** @returns a CommandError with the server's own last errors and the place of its log */
export async function failureOf(what: string, logFile: string): Promise<CommandError> {
  const lines = (await readFile(logFile, "utf8").catch(() => "")).trim().split("\n");
  const errors = lines.filter((line) => line.includes("[ERROR]"));
  const said = (errors.length > 0 ? errors : lines)
    .slice(0, 3)
    .map((line) => line.replace(/^\S+ \d+ \[ERROR\] (\[[^\]]*\] )*/, ""))
    .join(" ");
  return new CommandError(`${what}: ${said || "it said nothing"} (the whole log: ${logFile})`);
}
