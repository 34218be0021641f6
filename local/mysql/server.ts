/** One MySQL server on 127.0.0.1, on a data folder that is kept after the server has ended. */
import { randomBytes } from "node:crypto";
import { chmod, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createConnection } from "mysql2/promise";
import { CommandError } from "../../cli/commandError";
import type { Certificates } from "../lib/certificates";
import { type Exit, type GuardedProcess, startGuarded } from "../lib/processes/startGuarded";
import { ensureData, noteVersion } from "./dataFolder";
import { failureOf } from "./log";
import type { MySqlProgram } from "./program";
import { settings } from "./settings";
import { quote } from "./sql";

export interface ServerOptions {
  readonly program: MySqlProgram;
  /** Absolute path of the server's folder: data, administrator's password, logs. */
  readonly directory: string;
  readonly port: number;
  readonly certificates: Certificates;
  /** Refuse connections without TLS, as with RDS's `require_secure_transport`. @default false, RDS's default */
  readonly requireSecureTransport?: boolean;
  /** Addresses of this machine to listen on, 127.0.0.1 among them. @default 127.0.0.1 alone */
  readonly addresses?: readonly string[];
  /**
   * Look up the host names of clients, as MySQL does by default and on RDS. Only with this setting the server counts
   * the broken handshakes of each client address, and refuses an address that has too many. @default false
   */
  readonly resolveNames?: boolean;
  /** Milliseconds until the start fails because the server does not answer. @default 60000 */
  readonly readyMilliseconds?: number;
}

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

export interface RunningServer {
  readonly port: number;
  readonly pid: number;
  /** An account with all rights, for this machine only. RDS has no such account for its customers. */
  readonly administrator: Credentials;
  /** Settles when the server has ended, for any reason. */
  readonly exited: Promise<Exit>;
  /** Shuts the server down cleanly and waits for its end; safe to call twice. */
  stop(): Promise<void>;
}

const administratorName = "local_administrator";

/**
 * Starts the server and waits until it answers over TLS.
 * @throws CommandError where the folder, the data's version or the port does not allow it, or the server does not get
 *   ready
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { program, directory, port, certificates } = options;
  const { data } = await ensureData(program, directory);
  const administrator = await administratorOf(directory);
  const logFile = path.join(directory, "mysqld.log");
  const initFile = path.join(directory, "start.sql");
  await writeFile(initFile, accountStatements(administrator).join("\n"), { mode: 0o600 });

  const args = [
    ...program.prefix,
    "--no-defaults",
    ...program.options,
    ...settings,
    `--datadir=${data}`,
    ...(options.resolveNames ? [] : ["--skip-name-resolve"]),
    `--bind-address=${options.addresses?.join(",") ?? "127.0.0.1"}`,
    `--port=${port}`,
    // Relative to the data folder: an absolute path may be longer than a socket's 107 bytes.
    "--socket=mysqld.sock",
    "--pid-file=mysqld.pid",
    `--ssl-ca=${certificates.caFile}`,
    `--ssl-cert=${certificates.certFile}`,
    `--ssl-key=${certificates.keyFile}`,
    `--require-secure-transport=${options.requireSecureTransport ? "ON" : "OFF"}`,
    `--init-file=${initFile}`,
  ];
  const server = await startGuarded(program.command, args, { logFile });
  try {
    await ready(server, options, administrator, logFile);
    noteVersion(program, data);
  } catch (error) {
    await server.stop();
    throw error;
  } finally {
    await rm(initFile, { force: true });
  }
  return {
    port,
    pid: server.pid,
    administrator,
    exited: server.exited,
    stop: async () => {
      await server.stop();
    },
  };
}

/** The password is generated once and kept in the folder; if the file is lost, the next start sets a new password. */
async function administratorOf(directory: string): Promise<Credentials> {
  const file = path.join(directory, "administrator.password");
  let password = (await readFile(file, "utf8").catch(() => "")).trim();
  if (!/^[0-9a-f]{48}$/.test(password)) {
    password = randomBytes(24).toString("hex");
    await writeFile(file, `${password}\n`, { mode: 0o600 });
  }
  await chmod(file, 0o600);
  return { user: administratorName, password };
}

/** One statement a line, which the server runs at each start before it listens. */
function accountStatements({ user, password }: Credentials): string[] {
  const account = `${quote(user)}@'127.0.0.1'`;
  return [
    `CREATE USER IF NOT EXISTS ${account};`,
    `ALTER USER ${account} IDENTIFIED BY ${quote(password)};`,
    `GRANT ALL ON *.* TO ${account} WITH GRANT OPTION;`,
    "ALTER USER 'root'@'localhost' ACCOUNT LOCK;",
    "",
  ];
}

async function ready(
  server: GuardedProcess,
  options: ServerOptions,
  administrator: Credentials,
  logFile: string,
): Promise<void> {
  const deadline = Date.now() + (options.readyMilliseconds ?? 60_000);
  let ended = false;
  server.exited.then(() => {
    ended = true;
  });
  const ca = await readFile(options.certificates.caFile, "utf8");
  for (;;) {
    const failure = await connectionFailure(options.port, administrator, ca);
    // The connection is tested first: another server on the port could accept it although this server has ended.
    if (ended) throw await failureOf(`MySQL on port ${options.port} ended while it started`, logFile);
    if (failure === undefined) return;
    if (Date.now() > deadline) {
      throw new CommandError(`MySQL did not get ready on port ${options.port} (${failure}); its log: ${logFile}`);
    }
    await sleep(50);
  }
}

/** Connects once over TLS. @returns the error message, or undefined where the connection succeeded */
async function connectionFailure(
  port: number,
  { user, password }: Credentials,
  ca: string,
): Promise<string | undefined> {
  try {
    const connection = await createConnection({
      host: "localhost",
      port,
      user,
      password,
      ssl: { ca, verifyIdentity: true },
      connectTimeout: 5_000,
    });
    await connection.end();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
