/** MySQL's own build for this platform, from MySQL's content network. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { cached } from "./cache";
import { askVersion, type MySqlProgram } from "./program";

export interface Build {
  /** File name without its extension; also the name of the only folder in the archive. */
  readonly name: string;
  readonly ending: "tar.xz" | "tar.gz";
  /** SHA-256 of the archive, in hex; where it is not known, only TLS protects the archive. */
  readonly sha256?: string;
}

export interface DownloadOptions {
  readonly cache: string;
  readonly say: (line: string) => void;
  /** @default MySQL's content network */
  readonly baseUrl?: string;
  /** @default the build for this platform */
  readonly build?: Build;
  /** Milliseconds until the response begins, and between two chunks of it. @default 5000 and 30000 */
  readonly timeouts?: { readonly answer: number; readonly idle: number };
}

const series = "8.4";

/** By platform and architecture. For Linux on arm64 there is only a build of 900 MB; Debian's package is used there. */
const builds: Readonly<Record<string, Build>> = {
  "linux x64": {
    name: "mysql-8.4.6-linux-glibc2.28-x86_64-minimal",
    ending: "tar.xz",
    sha256: "f284b17b9e038adbe77f0dd5fb11ed30262286b23a390b8b4e367abc3574c42e",
  },
  "darwin arm64": { name: "mysql-8.4.6-macos15-arm64", ending: "tar.gz" },
  "darwin x64": { name: "mysql-8.4.6-macos15-x86_64", ending: "tar.gz" },
};

/**
 * @returns the server, downloaded where the cache does not have it
 * @throws Error with a sentence where there is no build, no network or no tool to unpack it
 */
export async function downloadedProgram(options: DownloadOptions): Promise<MySqlProgram> {
  const build = options.build ?? builds[`${process.platform} ${process.arch}`];
  if (build === undefined) {
    throw new Error(`MySQL offers no small build to download for ${process.platform} ${process.arch}`);
  }
  const fill = (folder: string) => fetchAndUnpack(folder, build, options);
  const root = await cached(options.cache, build.name, fill, options.say);
  const command = path.join(root, "bin/mysqld");
  return {
    command,
    prefix: [],
    options: [`--basedir=${root}`],
    version: await askVersion(command),
    origin: `MySQL's own build, downloaded into ${root}`,
  };
}

async function fetchAndUnpack(folder: string, build: Build, options: DownloadOptions): Promise<void> {
  const archive = path.join(folder, `archive.${build.ending}`);
  await fetchArchive(archive, build, options);
  options.say("… unpacking");
  await unpack(archive, folder);
  await rm(archive);
  // A build that does not run here, because a library is missing, must not stay in the cache.
  await askVersion(path.join(folder, "bin/mysqld"));
}

/** The newest release of a series is under `Downloads/`, every older one under `archives/`. */
async function fetchArchive(archive: string, build: Build, options: DownloadOptions): Promise<void> {
  const base = options.baseUrl ?? "https://cdn.mysql.com";
  const file = `${build.name}.${build.ending}`;
  const urls = [`${base}/archives/mysql-${series}/${file}`, `${base}/Downloads/MySQL-${series}/${file}`];
  for (const [index, url] of urls.entries()) {
    const { response, idle } = await open(url, options);
    if (response.status === 404 && index + 1 < urls.length) {
      await response.body?.cancel();
      continue;
    }
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw new Error(`${url} answered ${response.status} ${response.statusText}`);
    }
    await save(response, url, archive, build, options, idle);
    return;
  }
}

interface Opened {
  readonly response: Response;
  /** The time limit of a transfer that sends no data: `alive` restarts it, `done` ends it. */
  readonly idle: { alive(): void; done(): void };
}

async function open(url: string, options: DownloadOptions): Promise<Opened> {
  const { answer, idle } = options.timeouts ?? { answer: 5_000, idle: 30_000 };
  const abort = new AbortController();
  const limit = (milliseconds: number) =>
    setTimeout(() => abort.abort(new Error(`no answer for ${milliseconds / 1000} s`)), milliseconds);
  let timer = limit(answer);
  const done = () => clearTimeout(timer);
  const alive = () => {
    done();
    timer = limit(idle);
  };
  try {
    const response = await fetch(url, { signal: abort.signal });
    alive();
    return { response, idle: { alive, done } };
  } catch (error) {
    done();
    throw new Error(`${new URL(url).host} cannot be reached (${reason(error)})`);
  }
}

/** The message of fetch is only "fetch failed"; the reason is in the error's cause. */
function reason(error: unknown): string {
  const { cause, message } = error as Error & { cause?: Error };
  return cause?.message ?? message;
}

async function save(
  response: Response,
  url: string,
  archive: string,
  build: Build,
  { say }: DownloadOptions,
  idle: Opened["idle"],
): Promise<void> {
  const total = Number(response.headers.get("content-length") ?? 0);
  const megabytes = (bytes: number) => Math.round(bytes / 1_000_000);
  say(`Downloading MySQL from ${new URL(url).host} (${total > 0 ? megabytes(total) : "?"} MB) …`);
  const hash = createHash("sha256");
  let received = 0;
  let reported = 0;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      idle.alive();
      hash.update(chunk);
      received += chunk.length;
      const tenths = total > 0 ? Math.floor((received / total) * 10) : 0;
      if (tenths > reported && tenths < 10) say(`… ${tenths}0 % (${megabytes(received)} MB)`);
      reported = Math.max(reported, tenths);
      next(null, chunk);
    },
  });
  try {
    await pipeline(Readable.fromWeb(response.body as never), meter, createWriteStream(archive));
  } catch (error) {
    throw new Error(
      `the download from ${new URL(url).host} broke off after ${megabytes(received)} MB (${reason(error)})`,
    );
  } finally {
    idle.done();
  }
  const digest = hash.digest("hex");
  if (build.sha256 !== undefined && digest !== build.sha256) {
    throw new Error(
      `the file from ${url} is not the one that MySQL published (${received} bytes, its SHA-256 differs)`,
    );
  }
}

function unpack(archive: string, folder: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // The system's tar unpacks xz itself on macOS, and calls `xz` on Linux.
    execFile("tar", ["-xf", archive, "-C", folder, "--strip-components=1"], (error, _stdout, stderr) => {
      if (error)
        reject(new Error(`the download could not be unpacked: ${stderr.trim().split("\n")[0] || error.message}`));
      else resolve();
    });
  });
}
