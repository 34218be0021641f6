import { readFile } from "node:fs/promises";
import { StartError } from "../host/part";

/** @returns a StartError with the server's own last errors and the place of its log */
export async function failureOf(what: string, logFile: string): Promise<StartError> {
  const lines = (await readFile(logFile, "utf8").catch(() => "")).trim().split("\n");
  const errors = lines.filter((line) => line.includes("[ERROR]"));
  const said = (errors.length > 0 ? errors : lines)
    .slice(0, 3)
    .map((line) => line.replace(/^\S+ \d+ \[ERROR\] (\[[^\]]*\] )*/, ""))
    .join(" ");
  return new StartError(`${what}: ${said || "it said nothing"} (the whole log: ${logFile})`);
}
