/** `npm start` from the outside: the proof, a second start, and every bad start. */
import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import {
  CognitoIdentityProviderClient,
  ConfirmSignUpCommand,
  SignUpCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningSystem, rememberedPorts, runToEnd, sendingBackTo, startLocalSystem } from "../support/localSystem";
import { projectRoot } from "../support/native";

const ipv6 = Object.values(networkInterfaces()).some((found) => found?.some(({ address }) => address === "::1"));
const directory = mkdtempSync(join(tmpdir(), "ecommerce-start-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function onDatabase({ outputs }: RunningSystem, sql: string, values: string[] = []) {
  const { host, port, user, password, database } = outputs.mysql;
  const ssl = { ca: readFileSync(outputs.authorityFile, "utf8"), verifyIdentity: true };
  const connection = await createConnection({ host, port, user, password, database, ssl });
  const [rows] = await connection.query<RowDataPacket[]>(sql, values);
  await connection.end();
  return rows;
}

async function users(system: RunningSystem) {
  return (await onDatabase(system, "SELECT User_Email FROM users")).map(({ User_Email }) => String(User_Email));
}

/** Command lines of processes that name the folder, this test's own aside. */
const processesOf = (folder: string) =>
  readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")];
      } catch {
        return [];
      }
    })
    .filter((line) => line.includes(folder));

const eventually = async (check: () => void) => {
  for (const deadline = Date.now() + 60_000; ; ) {
    try {
      return check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
};

describe("npm start -- --once", () => {
  it("signs a person up, shows the row, and ends with code 0 and nothing left running", async () => {
    const { code, output } = await runToEnd(directory, ["--once"]);
    expect(output).toMatch(/users: User_UUID=[0-9a-f-]{36} {2}User_Email=proof-\S+@example\.com .*User_Status=1/);
    expect(output).toMatch(/Proven after [\d.]+ s/);
    expect(code).toBe(0);
    expect(processesOf(directory)).toEqual([]);
    expect(output, "addresses that are gone by now").not.toMatch(/localhost:\d+\/$|outputs\.json|mailbox/m);
    expect(output).toMatch(new RegExp(`Stopped after the proof\\. The data is kept in ${directory}; .*--once`));
  });
});

describe("npm start", () => {
  let system: RunningSystem;
  let portsBefore: string;
  beforeAll(async () => {
    portsBefore = readFileSync(join(directory, "ports.json"), "utf8");
    system = await startLocalSystem(directory, [], {}, "npm");
  });
  afterAll(() => system.stop());

  it("starts again where it was: the same addresses, the person of the first start still a row", async () => {
    expect(readFileSync(join(directory, "ports.json"), "utf8")).toBe(portsBefore);
    expect((await users(system)).filter((email) => email.startsWith("proof-"))).toHaveLength(2);
  });

  it("writes outputs.json for its owner alone, with everything that others rely on", () => {
    expect(statSync(join(directory, "outputs.json")).mode & 0o777).toBe(0o600);
    const required = [
      ...["region", "userPoolId", "userPoolClientId", "cognitoEndpoint", "signInUrl", "secretsManagerEndpoint"],
      ...["secretName", "functionName", "lambdaEndpoint", "bucketName", "bucketUrl", "apiUrl", "webUrl", "mailbox"],
    ] as const;
    for (const key of required) expect(system.outputs[key as "region"], key).toEqual(expect.stringMatching(/./));
    expect(system.outputs.mysql).toEqual({
      // By a name, MySQL's own client would look for a socket.
      host: "127.0.0.1",
      port: expect.any(Number),
      user: expect.any(String),
      password: expect.any(String),
      database: "ecommerce_db",
    });
  });

  it("keeps passwords off the screen, out of the function's log and out of its archive", () => {
    const kept = JSON.parse(readFileSync(join(directory, "random.json"), "utf8")) as Record<string, string>;
    const secrets = [...Object.values(kept), system.outputs.mysql.password, system.outputs.secretAccessKey];
    expect(secrets.length).toBeGreaterThanOrEqual(4);
    const files = ["functions", "logs"].flatMap((folder) =>
      readdirSync(join(directory, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8")),
    );
    // The archive's code and the lines that the container wrote.
    expect(files.join("")).toContain("ecommerce_db");
    expect(files.join("")).toContain("requestId");
    for (const secret of secrets) {
      expect(system.printed()).not.toContain(secret);
      expect(files.filter((text) => text.includes(secret))).toHaveLength(0);
    }
  });

  it("tells of a trigger that fails, and where that function's log is", async () => {
    const { region, cognitoEndpoint: endpoint, userPoolClientId: ClientId, mailbox, ...keys } = system.outputs;
    const email = "taken@example.com";
    await onDatabase(system, "INSERT INTO users (User_UUID, User_Email, User_DateAdd) VALUES (UUID(), ?, NOW())", [
      email,
    ]);
    const cognito = new CognitoIdentityProviderClient({ region, endpoint, credentials: keys });
    await cognito.send(new SignUpCommand({ ClientId, Username: email, Password: "Correct-horse-1" }));
    const [{ code: ConfirmationCode }] = (await (await fetch(mailbox)).json()) as [{ code: string }];
    const confirmed = cognito.send(new ConfirmSignUpCommand({ ClientId, Username: email, ConfirmationCode }));
    await expect(confirmed).rejects.toThrow("already registered to another account");
    cognito.destroy();
    const told = /^ {2}✗ (register-user-\w+): .*EmailConflict.* \(log: (\S+)\)$/m;
    await eventually(() => expect(system.printed()).toMatch(told));
    const [, name, log] = told.exec(system.printed())!;
    expect(log).toBe(join(directory, "logs", `${name}.log`));
    expect(readFileSync(log!, "utf8")).toContain("EmailConflict");
    expect(system.printed()).toContain(join(directory, "logs", "FUNCTION.log"));
  });

  it("is not started twice on the same folder", async () => {
    const { code, output } = await runToEnd(directory, ["--once"]);
    expect(output).toContain(`already runs on ${directory} (process `);
    const [, pid] = /\(process (\d+)\)/.exec(output)!;
    expect(readFileSync(`/proc/${pid}/cmdline`, "utf8")).toContain(`local/start.cjs\0--dir\0${directory}`);
    expect(code).toBe(1);
    expect((await runToEnd(directory, ["--once", "--reset"])).code).toBe(1);
    expect((await users(system)).length).toBeGreaterThan(0);
  });

  describe("npm run invoke", () => {
    const invoke = (...args: string[]) =>
      spawnSync(process.execPath, ["local/invoke.cjs", ...args, "--dir", directory], {
        cwd: projectRoot,
        encoding: "utf8",
      });

    it("prints the trigger's answer: the event", async () => {
      const file = "tests/functions/events/signUp.json";
      const { stdout, status } = invoke(file);
      expect(JSON.parse(stdout)).toEqual(JSON.parse(readFileSync(join(projectRoot, file), "utf8")));
      expect(status).toBe(0);
      const { email } = JSON.parse(stdout).request.userAttributes;
      expect(await users(system)).toContain(email);
    });
    it("prints the trigger's error as JSON, with exit code 1", () => {
      const { stdout, status } = invoke("tests/functions/events/missingSub.json");
      expect(JSON.parse(stdout)).toMatchObject({ errorType: expect.any(String), errorMessage: expect.any(String) });
      expect(status).toBe(1);
    });
    it("says what is wrong with a file", () => {
      expect(invoke("missing.json")).toMatchObject({
        status: 1,
        stderr: expect.stringContaining("missing.json cannot"),
      });
      expect(invoke("README.md")).toMatchObject({
        status: 1,
        stderr: expect.stringContaining("README.md is not JSON"),
      });
      expect(invoke()).toMatchObject({ status: 1, stderr: expect.stringContaining("Expected one file") });
      expect(invoke("-x")).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(/'-x'.*npm run invoke -- EVENT/s),
      });
    });
  });

  it("ends cleanly at Ctrl-C, which reaches it from the terminal and from npm", async () => {
    process.kill(-system.process.pid!, "SIGINT");
    const { code, output } = await system.stop("SIGINT");
    expect(output).toContain("Stopping.");
    expect(code).toBe(0);
    expect(processesOf(directory)).toEqual([]);
    expect(readdirSync(directory)).not.toContain("outputs.json");
  });

  it("serves the page on the configured port, also if another service has used it; ends when npm alone gets SIGTERM", async () => {
    const remembered = rememberedPorts(directory);
    const url = `http://localhost:${remembered.cognito}/`;
    const moved = await startLocalSystem(directory, sendingBackTo(url), {}, "npm");
    try {
      expect(await (await fetch(url)).text()).toContain("<title>");
      expect(moved.outputs.webUrl).toBe(url);
      const { cognito, ...others } = rememberedPorts(directory);
      expect({ cognito: remembered.cognito, ...others }, "all others stay").toEqual(remembered);
      expect(moved.outputs.cognitoEndpoint).toContain(`:${cognito}`);
    } finally {
      // As systemd, Docker and CI send it.
      const { code, output } = await moved.stop("SIGTERM");
      expect(output).toContain("Stopping.");
      expect(code).toBe(0);
      expect(processesOf(directory)).toEqual([]);
    }
  });

  it("starts from nothing with --reset; leaves nothing running when it is killed, and starts again", async () => {
    const fresh = await startLocalSystem(directory, ["--reset"]);
    expect(await users(fresh)).toHaveLength(1);
    await fresh.stop("SIGKILL");
    await eventually(() => expect(processesOf(directory)).toEqual([]));
    expect((await runToEnd(directory, ["--once"])).code).toBe(0);
  });
});

describe("a bad start is answered in a sentence, with code 1", () => {
  const bad = async (args: string[], folder = directory, env = {}) => {
    const { code, output } = await runToEnd(folder, ["--once", ...args], env);
    expect(code).toBe(1);
    expect(output, "a stack trace").not.toMatch(/^ {4}at /m);
    return output;
  };

  it("Node too old", () => {
    const script = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "18.20.0" } });
      require("./local/start.cjs");`;
    const { status, stderr } = spawnSync(process.execPath, ["-e", script], { cwd: projectRoot, encoding: "utf8" });
    expect(stderr).toContain("Node 18.20.0 is too old: this project needs Node 20, 22 or 24");
    expect(status).toBe(1);
  });

  it("port taken", async () => {
    const { cognito } = rememberedPorts(directory);
    const squatter = createServer().listen(cognito, "127.0.0.1");
    await once(squatter, "listening");
    try {
      const output = await bad([]);
      expect(output).toContain(`Port ${cognito}`);
      expect(output).toContain("taken by another program");
    } finally {
      squatter.close();
    }
    expect(processesOf(directory)).toEqual([]);
  });

  it.each(["127.0.0.1", ...(ipv6 ? ["::1"] : [])])(
    "the page's port taken on %s, with how to choose another",
    async (host) => {
      const squatter = createServer().listen(0, host);
      await once(squatter, "listening");
      const { port } = squatter.address() as AddressInfo;
      try {
        const output = await bad(["--set", `callbackUrls=http://localhost:${port}/`]);
        expect(output).toContain(
          `Port ${port} on ${host}, where the page is served because callbackUrls has http://localhost:${port}/`,
        );
        expect(output).toContain("--set callbackUrls=");
      } finally {
        squatter.close();
      }
    },
  );

  it("no MySQL to be had, with the four ways", async () => {
    const folder = mkdtempSync(join(tmpdir(), "ecommerce-nomysql-"));
    // Neither mysqld nor apt-get is on this PATH, and the download is told to come from a port that nobody serves.
    const env = { PATH: "/nonexistent", LOCAL_CACHE_DIR: folder, LOCAL_MYSQL_SOURCE: "path", LOCAL_MYSQL_URL: "" };
    const output = await bad([], folder, env);
    for (const way of ["LOCAL_MYSQL_URL", "PATH", "download", "Debian"]) expect(output).toContain(way);
    rmSync(folder, { recursive: true, force: true });
  });

  it("data folder that is none, or cannot be made", async () => {
    expect(await bad([], join(projectRoot, "README.md"))).toContain("README.md is a file, not a folder");
    expect(await bad([], "/dev/null/data")).toContain("/dev/null/data would be in a file");
    // Where Node's own way of making folders goes on without end.
    expect(await bad([], "/proc/data/x")).toContain("/proc/data/x cannot be made: its place takes no folders");
    expect(await bad([], "/sys/data")).toMatch(/\/sys\/data cannot be written \(E\w+\)\. Give yourself the right/);
  });

  it("data folder of another layout", async () => {
    const folder = mkdtempSync(join(tmpdir(), "ecommerce-layout-"));
    writeFileSync(join(folder, "layout.json"), '{"layout":99}');
    expect(await bad([], folder)).toMatch(/has layout 99; this version uses layout 1.*--reset/);
    rmSync(folder, { recursive: true, force: true });
  });

  it("a folder with other things in it, which --reset must not delete either", async () => {
    const folder = mkdtempSync(join(tmpdir(), "ecommerce-other-"));
    writeFileSync(join(folder, "thesis.txt"), "years of work");
    expect(await bad([], folder)).toContain("holds other things, such as thesis.txt");
    await bad(["--reset"], folder);
    expect(readFileSync(join(folder, "thesis.txt"), "utf8")).toBe("years of work");
    rmSync(folder, { recursive: true, force: true });
  });

  it("unknown option, unknown stack", async () => {
    expect(await bad(["--onse"])).toContain("--once");
    expect(await bad(["--stack", "moon"])).toContain('There is no stack "moon"');
    expect(await bad(["--stack", "../x"])).toContain("There is no stack");
    expect(await bad(["--set", "callbackUrls"])).toContain("--set takes KEY=VALUE");
    expect(await bad(["--set", "database={"])).toMatch(/^--set database takes a value in YAML, .*; got \{: [^\n]+\n?$/);
    expect(await bad(["--set", "databse.multiAz=true"])).toContain("the nearest is ecommerce:database.multiAz");
  });
});

it("explains itself with --help", () => {
  const output = execFileSync(process.execPath, ["local/start.cjs", "--help"], { cwd: projectRoot, encoding: "utf8" });
  const options = ["--once", "--reset", "--stack NAME", "--set KEY=VALUE", "--dir FOLDER"];
  for (const option of [...options, "LOCAL_MYSQL_URL", "LOCAL_MYSQL_SOURCE", "LOCAL_PORTS"]) {
    expect(output).toContain(option);
  }
});
