/**
 * Real MySQL servers for tests.
 *
 * The whole test run shares one (`globalSetup.ts` starts it): `inject("mysql")` from "vitest" returns how to connect,
 * as an administrator with all privileges. It requires TLS, as the deployed server does, with a certificate for
 * `localhost` that `caFile` verifies. Tests share it, so each test uses its own names of databases and users, and drops
 * them.
 *
 * A test that stops, kills or freezes its server starts a private one with `startTestServer()`.
 */
import { cp, mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { freePort } from "../../cli/ports";
import { ensureCertificates } from "../../local/lib/certificates";
import { makeFolder } from "../../local/lib/files";
import { ensureData } from "../../local/mysql/dataFolder";
import type { MySqlProgram } from "../../local/mysql/program";
import { type ServerOptions, startServer } from "../../local/mysql/server";
import { findMySql, type MySqlSource } from "../../local/mysql/sources";

export interface TestMySql {
  readonly host: "localhost";
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** PEM file of the CA that signed the server's certificate. */
  readonly caFile: string;
}

declare module "vitest" {
  interface ProvidedContext {
    mysql: TestMySql;
  }
}

export interface TestServer extends TestMySql {
  /** Process id of mysqld itself. */
  readonly pid: number;
  /** Version and source of the server, for people. */
  readonly description: string;
  /** Sends mysqld a signal: SIGKILL for a crash, SIGSTOP and SIGCONT for a freeze. */
  kill(signal: NodeJS.Signals): void;
  /** Shuts down cleanly and keeps the data for `start()`; safe to call twice. */
  stop(): Promise<void>;
  /** Starts again after `stop()` or a crash, on the same port and data. */
  start(): Promise<void>;
  /** Kills the server and removes its folder. */
  [Symbol.asyncDispose](): Promise<void>;
  dispose(): Promise<void>;
}

export interface TestServerOptions extends Pick<ServerOptions, "addresses" | "resolveNames"> {
  /** Refuse connections without TLS. @default true */
  readonly requireSecureTransport?: boolean;
  /** Commands of a POSIX shell that runs them and then becomes the server. @default no shell */
  readonly shell?: string;
  /** Reports a download's progress. @default no report */
  readonly say?: (line: string) => void;
}

/** The environment variable with the folder of `createTemplate`. */
const templateVariable = "TEST_MYSQL_TEMPLATE";

/**
 * Initialises the data of a server once for a whole run: every test server then starts on a copy, which takes a tenth of
 * the time.
 * @returns removes the data
 */
export async function createTemplate(say: (line: string) => void): Promise<() => Promise<void>> {
  const { program } = await findProgram(say);
  const directory = await mkdtemp(path.join(os.tmpdir(), "ecommerce-mysql-template-"));
  const { data } = await ensureData(program, directory);
  // The copies are different servers.
  await rm(path.join(data, "auto.cnf"), { force: true });
  process.env[templateVariable] = directory;
  return () => rm(directory, { recursive: true, force: true });
}

/**
 * Starts a private server in a temporary folder. It takes about 2 seconds, and 2 more without the run's template.
 * @throws Error if this machine has no MySQL and can get none, or with `LOCAL_MYSQL_SOURCE=url`: tests must start and
 * stop their servers
 */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const source = await findProgram(options.say ?? (() => {}));
  const program = options.shell === undefined ? source.program : behindShell(source.program, options.shell);
  const directory = await mkdtemp(path.join(os.tmpdir(), "ecommerce-mysql-"));
  const certificates = await ensureCertificates(path.join(directory, "tls"));
  const port = await freePort();
  const template = process.env[templateVariable];
  if (template !== undefined) {
    await makeFolder(path.join(directory, "mysql"));
    await cp(template, path.join(directory, "mysql"), { recursive: true });
  }
  const { addresses, resolveNames } = options;
  const launch = () =>
    startServer({
      addresses,
      resolveNames,
      program,
      directory: path.join(directory, "mysql"),
      port,
      certificates,
      requireSecureTransport: options.requireSecureTransport ?? true,
    });
  let server = await launch().catch(async (error) => {
    await rm(directory, { recursive: true, force: true });
    throw error;
  });
  const dispose = async () => {
    // The data is removed too, so a clean shutdown is not needed.
    kill("SIGKILL");
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  };
  const kill = (signal: NodeJS.Signals) => {
    try {
      process.kill(server.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  };
  return {
    host: "localhost",
    port,
    ...server.administrator,
    caFile: certificates.caFile,
    description: source.description,
    get pid() {
      return server.pid;
    },
    kill,
    stop: () => server.stop(),
    start: async () => {
      await server.exited;
      server = await launch();
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

/** Starts the server by a shell that runs commands first; `exec` keeps the process id. */
function behindShell(program: MySqlProgram, commands: string): MySqlProgram {
  return {
    ...program,
    command: "/bin/sh",
    prefix: ["-c", `${commands}; exec "$@"`, "sh", program.command, ...program.prefix],
  };
}

/** The MySQL program for tests, found as `npm start` finds it, but ignoring `LOCAL_MYSQL_URL`. */
export async function findProgram(say: (line: string) => void): Promise<MySqlSource & { kind: "program" }> {
  const source = await findMySql(say, { ...process.env, LOCAL_MYSQL_URL: undefined });
  if (source.kind !== "program") throw new Error("the tests start their own servers: unset LOCAL_MYSQL_SOURCE=url");
  return source;
}
