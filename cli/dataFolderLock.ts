/**
 * The lock file of a data folder. Commands check it before they connect to the local system, to find out whether one is
 * running.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CommandError } from "./commandError";
import { answers } from "./ports";

export const lockName = "lock.json";

/** A running system's lock on its data folder; valid only while a server on the port sends the token. */
export interface Lock {
  readonly pid: number;
  readonly port: number;
  readonly token: string;
}

/**
 * Finds the running system that holds the folder.
 *
 * @returns its process id, or undefined where none is running
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
