import { constants, renameSync, writeFileSync } from "node:fs";
import { access, mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Whether a file or folder exists.
 * @param mode what this process must be allowed to do with it, such as `constants.X_OK` @default only its existence
 */
export async function exists(file: string, mode: number = constants.F_OK): Promise<boolean> {
  return access(file, mode).then(
    () => true,
    () => false,
  );
}

/**
 * Creates a folder and its missing parents; an existing folder stays as it is. Node's own `recursive` option never
 * returns where the system reports ENOENT although the parent exists, as Linux does below `/proc`: it creates the
 * parent and tries again, without end.
 *
 * @throws the system's error: EEXIST where the path is a file, ENOTDIR where a parent is a file
 */
export async function makeFolder(folder: string, mode = 0o700): Promise<void> {
  try {
    return await makeOne(folder, mode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  if (!(await exists(dirname(folder)))) await makeFolder(dirname(folder), mode);
  // Tried again in any case: another start may have created the parent just now.
  await makeOne(folder, mode);
}

async function makeOne(folder: string, mode: number): Promise<void> {
  try {
    await mkdir(folder, { mode });
  } catch (error) {
    const isFolder = (error as NodeJS.ErrnoException).code === "EEXIST" && (await stat(folder)).isDirectory();
    if (!isFolder) throw error;
  }
}

/** Replaces a file in one step: readers, and a start after a crash, find either the old content or the new one. */
export function replaceFile(file: string, text: string, mode = 0o600): void {
  const fresh = `${file}.new`;
  writeFileSync(fresh, text, { mode });
  renameSync(fresh, file);
}
