/** The server programs that are fetched from MySQL and from Debian, and their cache. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cached, cacheFolder } from "../../../local/mysql/cache";
import { debianProgram, findMirror } from "../../../local/mysql/debian";
import { type Build, downloadedProgram } from "../../../local/mysql/download";
import { fakeServer, mysql84 } from "./fakeServer";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), "sources-"));
});
afterEach(() => rm(directory, { recursive: true }));

/** ms. Long, because a busy machine may need long for any response; only a test of the time limit uses shorter ones. */
const patient = { answer: 30_000, idle: 30_000 };

describe("a download from MySQL", () => {
  let server: Server;
  let baseUrl: string;
  let archive: Buffer;
  let build: Build;
  let requested: string[];
  let timeouts = patient;
  let answer: (file: string) => { status: number; body?: Buffer; cut?: number; delay?: number };
  const lines: string[] = [];

  beforeEach(async () => {
    const name = "mysql-8.4.99-test";
    await fakeServer(path.join(directory, "built", name, "bin"), mysql84);
    await writeFile(path.join(directory, "built", name, "padding"), Buffer.alloc(3_000_000, "0123456789abcdef"));
    execFileSync("tar", ["-czf", path.join(directory, "x.tar.gz"), "-C", path.join(directory, "built"), name]);
    archive = await readFile(path.join(directory, "x.tar.gz"));
    build = { name, ending: "tar.gz", sha256: createHash("sha256").update(archive).digest("hex") };
    requested = [];
    timeouts = patient;
    lines.length = 0;
    answer = (file) => (file.startsWith("/Downloads/") ? { status: 404 } : { status: 200, body: archive });
    server = createServer(async (request, response) => {
      requested.push(request.url!);
      const { status, body = Buffer.from("no"), cut = body.length, delay = 0 } = answer(request.url!);
      await sleep(delay);
      response.writeHead(status, { "content-length": body.length });
      response.write(body.subarray(0, cut), () => (cut < body.length ? response.destroy() : response.end()));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    baseUrl = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const download = (options = {}) =>
    downloadedProgram({
      cache: path.join(directory, "cache"),
      say: (line) => lines.push(line),
      baseUrl,
      build,
      timeouts,
      ...options,
    });

  it("is fetched once, with its progress reported, and kept", async () => {
    const program = await download();
    expect(program.version).toEqual({ major: 8, minor: 4, patch: 6 });
    expect(program.command).toBe(path.join(directory, "cache", build.name, "bin/mysqld"));
    expect(program.options).toEqual([`--basedir=${path.join(directory, "cache", build.name)}`]);
    expect(lines[0]).toMatch(/^Downloading MySQL from 127\.0\.0\.1:\d+ \(\d+ MB\)/);
    await download();
    expect(requested).toEqual([`/archives/mysql-8.4/${build.name}.tar.gz`]);
    expect(await readdir(path.join(directory, "cache"))).toEqual([build.name]);
  });

  it("is found among the newest releases too", async () => {
    answer = (file) => (file.startsWith("/archives/") ? { status: 404 } : { status: 200, body: archive });
    await download();
    expect(requested[1]).toBe(`/Downloads/MySQL-8.4/${build.name}.tar.gz`);
  });

  it.each<[string, () => void, RegExp]>([
    ["is nowhere", () => (answer = () => ({ status: 404 })), /answered 404/],
    ["is refused", () => (answer = () => ({ status: 503 })), /answered 503/],
    ["breaks off", () => (answer = () => ({ status: 200, body: archive, cut: 1000 })), /broke off after 0 MB/],
    [
      "does not answer",
      () => {
        timeouts = { answer: 300, idle: 300 };
        answer = () => ({ status: 200, delay: 2_000 });
      },
      /cannot be reached \(no answer for 0\.3 s/,
    ],
    ["is something else", () => (answer = () => ({ status: 200, body: Buffer.from("<html>") })), /SHA-256 differs/],
    ["is no archive", () => (build = { ...build, sha256: undefined, ending: "tar.xz" }), /could not be unpacked/],
  ])("fails with the reason when it %s, and leaves nothing in the cache", async (_what, spoil, message) => {
    spoil();
    if (message.source.includes("unpacked")) answer = () => ({ status: 200, body: Buffer.from("nothing") });
    await expect(download()).rejects.toThrow(message);
    expect(await readdir(path.join(directory, "cache"))).toEqual([]);
    answer = () => ({ status: 200, body: archive });
    timeouts = patient;
    build = { ...build, ending: "tar.gz" };
    await expect(download()).resolves.toBeDefined();
  });

  it("says quickly when there is no network", async () => {
    // The reason must be the unknown host name, and not a response that does not arrive in time.
    await expect(download({ baseUrl: "http://mysql.invalid" })).rejects.toThrow(
      /mysql\.invalid cannot be reached \((?!no answer)/,
    );
  });

  it("does not keep a build that does not run because a library is missing", async () => {
    await fakeServer(path.join(directory, "built", build.name, "bin"), "libaio.so.1: cannot open", 127);
    execFileSync("tar", ["-czf", path.join(directory, "y.tar.gz"), "-C", path.join(directory, "built"), build.name]);
    archive = await readFile(path.join(directory, "y.tar.gz"));
    build = { ...build, sha256: undefined };
    await expect(download()).rejects.toThrow(/does not run/);
    expect(await readdir(path.join(directory, "cache"))).toEqual([]);
  });
});

describe("the cache", () => {
  it("is filled by one of several callers, and all get the complete folder", async () => {
    let fills = 0;
    const fill = async (folder: string) => {
      fills++;
      await writeFile(path.join(folder, "a"), "");
      await sleep(300);
      await writeFile(path.join(folder, "b"), "");
    };
    const places = await Promise.all(Array.from({ length: 5 }, () => cached(directory, "thing", fill)));
    expect(fills).toBe(1);
    expect(await readdir(places[4]!)).toEqual(["a", "b"]);
  });

  it("is filled after another process failed or was killed while filling it", async () => {
    await expect(cached(directory, "thing", () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    const dead = execFileSync("sh", ["-c", "echo $$"], { encoding: "utf8" }).trim();
    await writeFile(path.join(directory, "thing.lock"), dead);
    await mkdir(path.join(directory, `thing.new-${dead}`));
    await cached(directory, "thing", (folder) => writeFile(path.join(folder, "a"), ""));
    expect(await readdir(directory)).toEqual(["thing"]);
  });

  it.each([
    ["died before it wrote its id", ""],
    ["died, and whose id another process has now", String(process.ppid)],
  ])("ignores a lock whose holder %s", async (_how, holder) => {
    const lock = path.join(directory, "thing.lock");
    await writeFile(lock, holder);
    await utimes(lock, 1, 1);
    await cached(directory, "thing", async () => {});
    expect(await readdir(directory)).toEqual(["thing"]);
  });

  it.each([
    [{ LOCAL_CACHE_DIR: "/x", XDG_CACHE_HOME: "/y" }, "/x"],
    [{ XDG_CACHE_HOME: "/y" }, "/y/ecommerce-local"],
    [{}, path.join(os.homedir(), ".cache/ecommerce-local")],
  ])("with the environment %o is in %s", (env, folder) => expect(cacheFolder(env)).toBe(folder));
});

describe("Debian's package", () => {
  const list = (text: string) => [{ name: "/etc/apt/sources.list", text }];
  const stanza = (text: string) => [{ name: "/etc/apt/sources.list.d/debian.sources", text }];
  it.each([
    ["a line", list("deb http://mirror.test/debian bookworm main"), "http://mirror.test/debian"],
    [
      "a line with options",
      list("deb [arch=amd64 signed-by=/k.gpg] https://m.test/debian/ sid main contrib"),
      "https://m.test/debian/",
    ],
    [
      "comments and source lines",
      list("# deb http://a.test/debian x main\ndeb-src http://b.test/debian x main"),
      undefined,
    ],
    ["security updates", list("deb http://security.debian.org/debian-security bookworm-security main"), undefined],
    ["another publisher", list("deb https://publisher.test/apt stable main"), undefined],
    ["Ubuntu", list("deb http://archive.ubuntu.com/ubuntu noble main"), undefined],
    [
      "deb822",
      stanza(
        "Types: deb\n# http://snapshot.test/debian\nURIs: http://mirror.test/debian\nSuites: bookworm\nComponents: main\n",
      ),
      "http://mirror.test/debian",
    ],
    [
      "deb822 with continued and repeated fields",
      stanza(
        "Enabled: no\nTypes: deb\nURIs: http://off.test/debian\nComponents: main\n\nTypes: deb-src deb\nURIs:\n http://security.debian.org/debian-security\n http://on.test/debian\nComponents: main contrib\n",
      ),
      "http://on.test/debian",
    ],
    [
      "a file with another extension",
      [{ name: "x.list.save", text: "deb http://mirror.test/debian sid main" }],
      undefined,
    ],
  ])("uses the mirror of the machine's sources: %s", (_what, files, mirror) => {
    expect(findMirror(files)).toBe(mirror);
  });

  const debian = (options = {}) => debianProgram({ cache: path.join(directory, "cache"), say: () => {}, ...options });

  it("says what is missing: the package tools, the keys, the mirror, the network", async () => {
    if (process.platform !== "linux") return expect(debian()).rejects.toThrow("runs on Linux x64 and arm64");
    await expect(debian({ path: directory })).rejects.toThrow("needs apt-get and dpkg");
    const bin = path.join(directory, "bin");
    await fakeServer(bin, "");
    for (const tool of ["apt-get", "dpkg"]) await cp(path.join(bin, "mysqld"), path.join(bin, tool));
    await expect(debian({ path: bin, keyringFolder: directory })).rejects.toThrow(
      /does not have them.*debian-archive-keyring/,
    );

    const keyringFolder = path.join(directory, "keys");
    await mkdir(keyringFolder);
    await writeFile(path.join(keyringFolder, "debian-archive-keyring.pgp"), "");
    await writeFile(path.join(bin, "apt-get"), "#!/bin/sh\necho \"E: Could not resolve 'deb.test'\" >&2\nexit 100\n");
    const withoutMirror = debian({ path: bin, keyringFolder, aptFolder: directory });
    await expect(withoutMirror).rejects.toThrow("names no mirror of Debian's archive");
    await writeFile(path.join(directory, "sources.list"), "deb http://deb.test/debian sid main\n");
    await expect(debian({ path: bin, keyringFolder, aptFolder: directory })).rejects.toThrow(
      "Debian's archive could not be used: Could not resolve 'deb.test'",
    );
    expect(await readdir(path.join(directory, "cache"))).toEqual([]);
  });

  it.runIf(existsSync("/usr/bin/apt-get") && existsSync(path.join(cacheFolder(), "debian-mysql-server-core-amd64")))(
    "runs from the cache by its own loader (where it is cached)",
    async () => {
      const program = await debianProgram({ cache: cacheFolder(), say: () => {} });
      expect(program.version.major).toBeGreaterThanOrEqual(9);
      expect(program.command).toMatch(/ld-linux/);
    },
  );
});
