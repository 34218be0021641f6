/**
 * Real MySQL servers for tests.
 *
 * The whole test run shares one (`globalSetup.ts` starts it): `inject("mysql")` from "vitest" tells how to connect, as
 * an administrator who may do everything. It requires TLS, as the deployed one does, with a certificate for `localhost`
 * that `caFile` verifies. Tests share it, so each makes databases and users of its own names and drops them.
 *
 * A test that stops, kills or freezes its server takes a private one from `startTestServer()`.
 */
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { freePort } from "../../cli/ports";
import { ensureCertificates } from "../../local/lib/certificates";
import type { MySqlProgram } from "../../local/mysql/program";
import { type ServerOptions, startServer } from "../../local/mysql/server";
import { findMySql, type MySqlSource } from "../../local/mysql/sources";

export interface TestMySql {
  readonly host: "localhost";
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** PEM file of the authority that signed the server's certificate. */
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
  /** What runs and where it came from, in words. */
  readonly description: string;
  /** Sends mysqld a signal: SIGKILL for a crash, SIGSTOP and SIGCONT for a freeze. */
  kill(signal: NodeJS.Signals): void;
  /** Shuts down cleanly and keeps the data for `start()`; safe to call twice. */
  stop(): Promise<void>;
  /** Starts again after `stop()` or a crash, on the same port and data. */
  start(): Promise<void>;
  /** Ends the server and removes its folder. */
  [Symbol.asyncDispose](): Promise<void>;
  dispose(): Promise<void>;
}

export interface TestServerOptions extends Pick<ServerOptions, "addresses" | "resolveNames"> {
  /** Refuse connections without TLS. @default true */
  readonly requireSecureTransport?: boolean;
  /** Commands of a POSIX shell that runs them and then becomes the server. @default no shell */
  readonly shell?: string;
  /** Reports a download's progress. @default nobody */
  readonly say?: (line: string) => void;
}

/**
 * Starts a server of one's own in a temporary folder: about 3 seconds, most of it making the data folder.
 * @throws Error where this machine has no MySQL and can get none, or where `LOCAL_MYSQL_URL` names one: tests need to
 * start and stop theirs
 */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const source = await findProgram(options.say ?? (() => {}));
  const program = options.shell === undefined ? source.program : behindShell(source.program, options.shell);
  const directory = await mkdtemp(path.join(os.tmpdir(), "ecommerce-mysql-"));
  const certificates = await ensureCertificates(path.join(directory, "tls"));
  const port = await freePort();
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
    // The data goes too, so there is nothing to shut down cleanly.
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

/** The process stays the same one, so that its id is the server's. */
function behindShell(program: MySqlProgram, commands: string): MySqlProgram {
  return {
    ...program,
    command: "/bin/sh",
    prefix: ["-c", `${commands}; exec "$@"`, "sh", program.command, ...program.prefix],
  };
}

/** The program tests run, found the way `npm start` finds it, an existing server left aside. */
export async function findProgram(say: (line: string) => void): Promise<MySqlSource & { kind: "program" }> {
  const source = await findMySql(say, { ...process.env, LOCAL_MYSQL_URL: undefined });
  if (source.kind !== "program") throw new Error("the tests start servers of their own: unset LOCAL_MYSQL_SOURCE=url");
  return source;
}
