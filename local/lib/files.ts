import { constants, renameSync, writeFileSync } from "node:fs";
import { access, mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** @param mode what this process must be able to do with it, such as `constants.X_OK`; @default only that it is there */
export async function exists(file: string, mode: number = constants.F_OK): Promise<boolean> {
  return access(file, mode).then(
    () => true,
    () => false,
  );
}

/**
 * Makes a folder, and those above it that are missing; one that is there stays as it is. Node's own `recursive` never
 * answers where the system says that there is no such place although the folder above is there, as Linux does below
 * `/proc`: it makes the one above and tries again, without end.
 *
 * @throws the system's error: EEXIST where it is a file, ENOTDIR where it would be in one
 */
export async function makeFolder(folder: string, mode = 0o700): Promise<void> {
  try {
    return await makeInside(folder, mode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  if (!(await exists(dirname(folder)))) await makeFolder(dirname(folder), mode);
  // Once more in any case: another start may have made the one above just now.
  await makeInside(folder, mode);
}

async function makeInside(folder: string, mode: number): Promise<void> {
  try {
    await mkdir(folder, { mode });
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code === "EEXIST" && (await stat(folder)).isDirectory();
    if (!isThere) throw error;
  }
}

/** Replaces a file as a whole: readers, and a start after a crash, find the old content or the new. */
export function replaceFile(file: string, text: string, mode = 0o600): void {
  const fresh = `${file}.new`;
  writeFileSync(fresh, text, { mode });
  renameSync(fresh, file);
}
