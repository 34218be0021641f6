/** Server programs that were fetched once and serve every checkout of this machine's user. */
import { access, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** @returns `LOCAL_CACHE_DIR`, else `ecommerce-local` in `XDG_CACHE_HOME` or `~/.cache` */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return path.resolve(
    env.LOCAL_CACHE_DIR || path.join(env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache"), "ecommerce-local"),
  );
}

/**
 * Fills `<cache>/<name>` once. It is filled beside its place and moved there when whole, by one process at a time, so
 * neither an interruption nor a second starter leaves half a folder.
 * @param fill gets an empty folder
 * @returns the folder
 */
export async function cached(cache: string, name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const place = path.join(cache, name);
  if (await exists(place)) return place;
  await mkdir(cache, { recursive: true });
  const unlock = await lock(path.join(cache, `${name}.lock`));
  try {
    if (await exists(place)) return place;
    // Whatever else has this prefix was left by a process that was killed: we hold the lock.
    const prefix = `${name}.new-`;
    for (const entry of await readdir(cache)) {
      if (entry.startsWith(prefix)) await rm(path.join(cache, entry), { recursive: true, force: true });
    }
    const fresh = path.join(cache, `${prefix}${process.pid}`);
    await mkdir(fresh);
    try {
      await fill(fresh);
      await rename(fresh, place);
    } finally {
      await rm(fresh, { recursive: true, force: true });
    }
    return place;
  } finally {
    await unlock();
  }
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

/** Waits for as long as the process that holds the lock is alive. */
async function lock(file: string): Promise<() => Promise<void>> {
  for (;;) {
    try {
      const handle = await open(file, "wx");
      await handle.writeFile(String(process.pid));
      await handle.close();
      return () => rm(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    if (await abandoned(file)) await rm(file, { force: true });
    else await sleep(200);
  }
}

async function abandoned(file: string): Promise<boolean> {
  let holder = await readFile(file, "utf8").catch(() => "");
  if (holder === "") {
    // Between creating the file and writing into it, or killed there.
    await sleep(500);
    holder = await readFile(file, "utf8").catch(() => "gone");
    if (holder === "gone") return false;
    if (holder === "") return true;
  }
  try {
    process.kill(Number(holder), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
