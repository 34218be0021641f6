import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { freePort } from "../../../cli/ports";
import { ensureCertificates } from "../../../local/lib/certificates";
import type { MySqlProgram } from "../../../local/mysql/program";
import { startServer } from "../../../local/mysql/server";
import { refusal } from "../../support/failures";
import { findProgram, startTestServer, type TestServer } from "../../support/mysql";
import { queryOnce } from "./support";

describe("the server of the test run", () => {
  const shared = inject("mysql");

  it("is set up as RDS is: UTC, utf8mb4, durable commits, TLS required", async () => {
    const variables = [
      "@@time_zone AS zone, @@character_set_server AS charset, @@collation_server AS collation",
      "@@innodb_flush_log_at_trx_commit AS durable, @@require_secure_transport AS tls, @@bind_address AS bound",
    ];
    expect(await queryOnce(shared, `SELECT ${variables}`)).toEqual([
      { zone: "+00:00", charset: "utf8mb4", collation: "utf8mb4_0900_ai_ci", durable: 1, tls: 1, bound: "127.0.0.1" },
    ]);
    await expect(queryOnce(shared, "SELECT 1", false)).rejects.toMatchObject({ errno: 3159 });
  });

  it("refuses every account without a password, and has root locked", async () => {
    for (const user of ["root", "", shared.user]) {
      await expect(queryOnce({ ...shared, user, password: "" }, "SELECT 1")).rejects.toMatchObject({ errno: 1045 });
    }
    expect(await queryOnce(shared, "SELECT user, account_locked FROM mysql.user WHERE user = 'root'")).toEqual([
      { user: "root", account_locked: "Y" },
    ]);
  });
});

describe("a server that the test starts", () => {
  let server: TestServer;
  let directory: string;
  beforeAll(async () => {
    server = await startTestServer();
    directory = path.join(path.dirname(path.dirname(server.caFile)), "mysql");
    await queryOnce(server, "CREATE DATABASE kept");
    await queryOnce(server, "CREATE TABLE kept.rows_ (n INT)");
  });
  afterAll(() => server?.dispose());

  it("lets only its owner read its secrets, and writes none into logs or other files", async () => {
    expect((await stat(path.join(directory, "administrator.password"))).mode & 0o777).toBe(0o600);
    expect((await stat(directory)).mode & 0o077).toBe(0);
    expect((await readdir(directory)).sort()).toEqual([
      "administrator.password",
      "data",
      "initialise.log",
      "mysqld.log",
    ]);
    for (const log of ["initialise.log", "mysqld.log"]) {
      expect(await readFile(path.join(directory, log), "utf8")).not.toContain(server.password);
    }
  });

  it("keeps its data and its password over a clean stop and a crash", async () => {
    await queryOnce(server, "INSERT INTO kept.rows_ VALUES (1)");
    await server.stop();
    await expect(queryOnce(server, "SELECT 1")).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await server.start();
    await queryOnce(server, "INSERT INTO kept.rows_ VALUES (2)");
    server.kill("SIGKILL");
    await server.start();
    expect(await queryOnce(server, "SELECT n FROM kept.rows_")).toEqual([{ n: 1 }, { n: 2 }]);
  });

  it("gets a new password when the password file is lost", async () => {
    await server.stop();
    await writeFile(path.join(directory, "administrator.password"), "");
    await server.start();
    const password = (await readFile(path.join(directory, "administrator.password"), "utf8")).trim();
    expect(password).not.toBe(server.password);
    await expect(queryOnce(server, "SELECT 1")).rejects.toMatchObject({ errno: 1045 });
    expect(await queryOnce({ ...server, password }, "SELECT n FROM kept.rows_")).toHaveLength(2);
  });
});

describe("a start that cannot go on", () => {
  let program: MySqlProgram;
  let base: string;
  beforeAll(async () => {
    program = (await findProgram(() => {})).program;
    base = await mkdtemp(path.join(os.tmpdir(), "server-"));
  });
  afterAll(() => rm(base, { recursive: true }));

  async function start(name: string, options: { program?: MySqlProgram; port?: number } = {}) {
    const certificates = await ensureCertificates(path.join(base, "tls"));
    const directory = path.join(base, name);
    const port = options.port ?? (await freePort());
    return startServer({
      program: options.program ?? program,
      directory,
      port,
      certificates,
      readyMilliseconds: 20_000,
    });
  }
  async function withData(name: string, version: string | undefined): Promise<void> {
    await mkdir(path.join(base, name, "data"), { recursive: true });
    await writeFile(path.join(base, name, "data", version ? "ecommerce-local-version" : "ibdata1"), version ?? "");
  }
  const { major, minor } = { major: 9, minor: 7 };
  const as = (version: string): MySqlProgram => {
    const [a = 0, b = 0, c = 0] = version.split(".").map(Number);
    return { ...program, version: { major: a, minor: b, patch: c } };
  };

  it.each([
    ["another major version", "9.1.0", "8.4.6"],
    ["an older major version", "8.4.6", "9.7.0"],
    ["a newer series", `${major}.${minor}.0`, `${major}.${minor - 1}.9`],
  ])("says that the data was written by %s", async (_what, data, running) => {
    const name = `data-${data}-${running}`;
    await withData(name, data);
    const message = await refusal(start(name, { program: as(running) }));
    expect(message).toContain(`was written by MySQL ${data}, and MySQL ${running} (`);
    expect(message).toContain("npm start -- --reset");
  });

  it("does not touch a data folder that is not its own", async () => {
    await withData("foreign", undefined);
    expect(await refusal(start("foreign"))).toContain("was not created by this project");
    expect(await readdir(path.join(base, "foreign/data"))).toEqual(["ibdata1"]);
  });

  it("says that the folder cannot be written", async () => {
    // A parent that is a file stops root too; file modes do not.
    await writeFile(path.join(base, "file"), "");
    expect(await refusal(start("file/mysql"))).toMatch(/file\/mysql cannot be written \(ENOTDIR\)/);
  });

  it("quotes the server's error when its data cannot be initialised, and leaves no incomplete data", async () => {
    const broken = { ...program, options: [...program.options, "--no-such-option"] };
    expect(await refusal(start("broken", { program: broken }))).toMatch(/could not initialise.*no-such-option/);
    expect(await readdir(path.join(base, "broken"))).toEqual(["initialise.log"]);
  });

  it("initialises again after an interrupted initialisation", async () => {
    await mkdir(path.join(base, "interrupted/data.new-1"), { recursive: true });
    const server = await start("interrupted");
    await server.stop();
    await server.stop();
    expect(await readdir(path.join(base, "interrupted"))).toEqual(
      expect.not.arrayContaining([expect.stringContaining("data.new")]),
    );
  });

  it("says that the port is taken", async () => {
    const message = await refusal(start("interrupted", { port: inject("mysql").port }));
    expect(message).toMatch(/ended while it started: .*(port|bind|in use)/i);
    expect(message).toContain("mysqld.log");
  });
});
