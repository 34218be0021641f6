/** The cache of fetched server programs, which all checkouts of this machine's user share. */
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { exists, makeFolder } from "../lib/files";
import { isRunning } from "../lib/processes/isRunning";

/** @returns `LOCAL_CACHE_DIR`, else `ecommerce-local` in `XDG_CACHE_HOME` or `~/.cache` */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return path.resolve(
    env.LOCAL_CACHE_DIR || path.join(env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache"), "ecommerce-local"),
  );
}

/** A lock file that its holder has not touched for this time is stale, whatever process has the holder's id now. */
const staleMilliseconds = 30_000;

/**
 * Fills `<cache>/<name>` once. One process at a time fills another folder and then renames it, so that neither an
 * interruption nor a second process leaves an incomplete folder.
 * @param fill gets an empty folder
 * @param say called when this process waits for another one
 * @returns the folder
 */
export async function cached(
  cache: string,
  name: string,
  fill: (folder: string) => Promise<void>,
  say: (line: string) => void = () => {},
): Promise<string> {
  const place = path.join(cache, name);
  if (await exists(place)) return place;
  await makeFolder(cache, 0o777);
  const unlock = await lock(path.join(cache, `${name}.lock`), () =>
    say(`Another start is fetching ${name}: waiting …`),
  );
  try {
    if (await exists(place)) return place;
    await removeAbandoned(cache, `${name}.new-`);
    const fresh = path.join(cache, `${name}.new-${process.pid}`);
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

/** Folders of processes that were killed while they filled them. */
async function removeAbandoned(cache: string, prefix: string): Promise<void> {
  for (const entry of await readdir(cache)) {
    if (!entry.startsWith(prefix)) continue;
    const owner = Number(entry.slice(prefix.length));
    if (owner === process.pid || !isRunning(owner)) await rm(path.join(cache, entry), { recursive: true, force: true });
  }
}

/** @returns the function that releases the lock */
async function lock(file: string, waiting: () => void): Promise<() => Promise<void>> {
  for (let tries = 0; ; tries++) {
    try {
      await writeFile(file, String(process.pid), { flag: "wx" });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    if (tries === 1) waiting();
    if (await isAbandoned(file)) await rm(file, { force: true });
    else await sleep(200);
  }
  const touching = setInterval(() => utimes(file, new Date(), new Date()).catch(() => {}), staleMilliseconds / 6);
  return async () => {
    clearInterval(touching);
    await rm(file, { force: true });
  };
}

async function isAbandoned(file: string): Promise<boolean> {
  try {
    const [holder, { mtimeMs }] = [await readFile(file, "utf8"), await stat(file)];
    if (Date.now() - mtimeMs > staleMilliseconds) return true;
    // The file is empty for a moment between its creation and its writing.
    return holder !== "" && !isRunning(Number(holder));
  } catch {
    return false; // The file is gone: the caller tries to take the lock.
  }
}
