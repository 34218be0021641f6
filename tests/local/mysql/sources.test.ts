import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { CommandError } from "../../../cli/commandError";
import { existingServer } from "../../../local/mysql/existingServer";
import { pathProgram } from "../../../local/mysql/path";
import type { MySqlProgram } from "../../../local/mysql/program";
import { findMySql, type Ways } from "../../../local/mysql/sources";
import { fakeServer, mysql84 } from "./fakeServer";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), "sources-"));
});
afterEach(() => rm(directory, { recursive: true }));

const mysql57 = "mysqld  Ver 5.7.44 for Linux on x86_64 (MySQL Community Server (GPL))";
const mariadb = "mysqld  Ver 10.11.6-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)";

describe("mysqld on the PATH", () => {
  const inFolder = (...names: string[]) => names.map((name) => path.join(directory, name)).join(":");

  it("is the first one on the PATH that can be used", async () => {
    await fakeServer(path.join(directory, "a"), mariadb);
    await fakeServer(path.join(directory, "b"), mysql57);
    const command = await fakeServer(path.join(directory, "c"), mysql84);
    const program = await pathProgram(inFolder("none", "a", "b", "c"), []);
    expect(program).toMatchObject({ command, version: { major: 8, minor: 4, patch: 6 } });
    expect(program.origin).toContain(command);
  });

  it("is looked for in the usual folders for servers too", async () => {
    const command = await fakeServer(path.join(directory, "sbin"), mysql84);
    expect(await pathProgram(inFolder("none"), [path.dirname(command)])).toMatchObject({ command });
  });

  it("that cannot be used is listed with the reason", async () => {
    await fakeServer(path.join(directory, "a"), mariadb);
    await fakeServer(path.join(directory, "b"), mysql57);
    await fakeServer(path.join(directory, "c"), "cannot open shared object", 127);
    const finding = pathProgram(inFolder("a", "b", "c"), []);
    await expect(finding).rejects.toThrow(/a\/mysqld is MariaDB 10\.11\.6, and MySQL 8\.0 or newer is needed/);
    await expect(finding).rejects.toThrow(/b\/mysqld is MySQL 5\.7\.44, and 8\.0 or newer/);
    await expect(finding).rejects.toThrow(/c\/mysqld does not run/);
  });

  it("is never run from a relative folder; the error says that there is none", async () => {
    await fakeServer(path.join(directory, "a"), mysql84);
    const before = process.cwd();
    process.chdir(directory);
    try {
      await expect(pathProgram("a:", [])).rejects.toThrow("there is no mysqld on the PATH");
    } finally {
      process.chdir(before);
    }
  });
});

describe("an existing server", () => {
  const { host, port, user, password } = inject("mysql");

  it("is described by its URL", async () => {
    const server = await existingServer(`mysql://${user}:${password}@${host}:${port}`);
    expect(server).toMatchObject({ host, port, user, password });
    expect(server.version.major).toBeGreaterThanOrEqual(8);
    expect(server.origin).not.toContain(password);
  });

  it.each([
    ["nonsense", /must look like mysql:\/\/user:password@host:3306, and is not a URL/],
    ["mysql://u:50%@h:3306", /percent-encoded/],
    ["postgres://u:secret@h:3306", /begins with postgres:\/\//],
    ["mysql://h:3306", /lacks the host or the user/],
    ["mysql://u:secret@h:3306/shop", /without a database \(\/shop\)/],
    [`mysql://${user}:wrong@${host}:${port}`, /cannot be used: Access denied/],
    ["mysql://u:secret@127.0.0.1:1", /cannot be used: .*ECONNREFUSED/],
  ])("is refused in a sentence: %s", async (url, message) => {
    await expect(existingServer(url)).rejects.toThrow(message);
    await expect(existingServer(url)).rejects.not.toThrow(/secret|wrong/);
  });
});

describe("findMySql", () => {
  const program = (origin: string): MySqlProgram => ({
    command: "x",
    prefix: [],
    options: [],
    version: { major: 8, minor: 4, patch: 6 },
    origin,
  });
  const fails = (reason: string) => () => Promise.reject(new Error(reason));
  const nothing: Ways = {
    url: fails("no server"),
    path: fails("no mysqld"),
    download: fails("no network"),
    debian: fails("no apt"),
  };
  const find = (env: NodeJS.ProcessEnv, ways: Partial<Ways> = {}) => findMySql(() => {}, env, { ...nothing, ...ways });
  const all: Ways = {
    url: async () => ({
      host: "h",
      port: 1,
      user: "u",
      password: "p",
      version: { major: 8, minor: 0, patch: 1 },
      origin: "url",
    }),
    path: async () => program("path"),
    download: async () => program("download"),
    debian: async () => program("debian"),
  };

  it.each<[NodeJS.ProcessEnv, Partial<Ways>, string]>([
    [{ LOCAL_MYSQL_URL: "mysql://" }, all, "MySQL 8.0.1, url"],
    [{}, all, "MySQL 8.4.6, path"],
    [{}, { download: all.download, debian: all.debian }, "MySQL 8.4.6, download"],
    [{}, { debian: all.debian }, "MySQL 8.4.6, debian"],
    [{ LOCAL_MYSQL_URL: "mysql://", LOCAL_MYSQL_SOURCE: "debian" }, all, "MySQL 8.4.6, debian"],
  ])("uses the first way that works: %o %#", async (env, ways, description) => {
    expect((await find(env, ways)).description).toBe(description);
  });

  it("lists the four ways and why each failed", async () => {
    const finding = find({});
    await expect(finding).rejects.toThrow(CommandError);
    await expect(finding).rejects.toThrow(
      [
        "This machine has no MySQL 8.0 or newer. One of these four ways is needed:",
        "  1. a server that is already running, named by LOCAL_MYSQL_URL: not set",
        "  2. mysqld on the PATH: no mysqld",
        "  3. a download from MySQL: no network",
        "  4. Debian's package: no apt",
      ].join("\n"),
    );
  });

  it("never uses another server instead of the one that LOCAL_MYSQL_URL names", async () => {
    await expect(find({ LOCAL_MYSQL_URL: "mysql://" }, { path: all.path })).rejects.toThrow("no server");
  });

  it("refuses an unknown source, and the source url without a URL", async () => {
    await expect(find({ LOCAL_MYSQL_SOURCE: "docker" })).rejects.toThrow(/"docker".*url, path, download, debian/);
    await expect(find({ LOCAL_MYSQL_SOURCE: "url" })).rejects.toThrow("LOCAL_MYSQL_URL is not set");
  });
});
