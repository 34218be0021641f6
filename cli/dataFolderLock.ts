/** The file by which a start holds its data folder, and whether one does: commands ask before they talk to the system. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CommandError } from "./commandError";
import { answers } from "./ports";

export const lockName = "lock.json";

/** A start's lock on its data folder: it counts only while the port answers with the token. */
export interface Lock {
  readonly pid: number;
  readonly port: number;
  readonly token: string;
}

/**
 * Whether a start holds the folder now.
 *
 * @returns its process, or undefined
 */
export async function heldBy(path: string): Promise<number | undefined> {
  const lock = await readJson<Lock | undefined>(join(path, lockName), undefined);
  return lock && (await answers(lock.port, lock.token)) ? lock.pid : undefined;
}

/** @throws CommandError where the file is not JSON */
export async function readJson<T>(file: string, missing: T): Promise<T> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return missing;
    throw error;
  }
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new CommandError(`${file} is damaged: it is not JSON. Delete it, or start from nothing with --reset.`, {
      cause,
    });
  }
}
