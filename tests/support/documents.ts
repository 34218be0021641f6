/** Reads commands from a document, so that a test runs the commands that people read. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { projectRoot } from "./native";

/**
 * Lines of a document's code block that begin with one of these words, together with their continuation lines.
 *
 * @param after a text that occurs once in the document: the first block after it is read
 * @throws Error if the text does not occur exactly once, or the block has no such line
 */
export function commandsOf(file: string, after: string, beginnings: readonly string[]): string[] {
  const [, text, ...more] = readFileSync(path.join(projectRoot, file), "utf8").split(after);
  if (text === undefined || more.length > 0) throw new Error(`${file} must contain this text exactly once: ${after}`);
  const [, block = ""] = /^ *```sh\n([\s\S]*?)^ *```$/m.exec(text) ?? [];
  const lines = block.replaceAll("\\\n", "").split("\n");
  const found = lines.map((line) => line.trim()).filter((line) => beginnings.some((word) => line.startsWith(word)));
  if (found.length === 0) throw new Error(`${file} has no such command after: ${after}`);
  return found;
}
