import { cpSync, symlinkSync } from "node:fs";
import path from "node:path";
import { projectRoot } from "./native";

/**
 * Copies files and folders of the project, without build results, and links the project's `node_modules` into the copy.
 *
 * @param names relative to the project's root
 * @param folder created if it is missing
 */
export function copyProject(names: readonly string[], folder: string): void {
  const filter = (source: string) => path.basename(source) !== ".build";
  for (const name of names) cpSync(path.join(projectRoot, name), path.join(folder, name), { recursive: true, filter });
  symlinkSync(path.join(projectRoot, "node_modules"), path.join(folder, "node_modules"));
}
