/** Commands of a document, so that a test runs what people read. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { projectRoot } from "./native";

/**
 * Lines of the code blocks of a document that begin with one of these words, continued lines with them.
 *
 * @param after a text that occurs once in the document: blocks before it do not count
 * @throws Error where the text is not there once, or no such line follows it
 */
export function commandsOf(file: string, after: string, beginnings: readonly string[]): string[] {
  const [, text, ...more] = readFileSync(path.join(projectRoot, file), "utf8").split(after);
  if (text === undefined || more.length > 0) throw new Error(`${file} must have this text once: ${after}`);
  const [, block = ""] = /^ *```sh\n([\s\S]*?)^ *```$/m.exec(text) ?? [];
  const lines = block.replaceAll("\\\n", "").split("\n");
  const found = lines.map((line) => line.trim()).filter((line) => beginnings.some((word) => line.startsWith(word)));
  if (found.length === 0) throw new Error(`${file} has no such command after: ${after}`);
  return found;
}
