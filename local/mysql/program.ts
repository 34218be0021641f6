/** A MySQL server program on this machine, from any source. */
import { execFile } from "node:child_process";

export interface MySqlProgram {
  /** The file to execute, and the arguments that come before all others, such as a loader's library path. */
  readonly command: string;
  readonly prefix: readonly string[];
  /** Options with the paths of the server's own files; empty where the server finds them by itself. */
  readonly options: readonly string[];
  /** For example `8.4.6`. */
  readonly version: Version;
  /** Where it comes from, as text for messages: `mysqld on the PATH (/usr/sbin/mysqld)`. */
  readonly origin: string;
}

export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

const oldestMajor = 8;

export function showVersion({ major, minor, patch }: Version): string {
  return `${major}.${minor}.${patch}`;
}

/** @returns the version at the start of a text such as `8.4.6-debug` or `9.7.4-2`; undefined where there is none */
export function parseVersion(text: string): Version | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)/.exec(text);
  return match ? { major: Number(match[1]), minor: Number(match[2]), patch: Number(match[3]) } : undefined;
}

/**
 * Asks a server program for its version.
 * @throws Error with a sentence where it does not run, is MariaDB or is older than MySQL 8.0
 */
export async function askVersion(command: string, prefix: readonly string[] = []): Promise<Version> {
  const { output, failure } = await run(command, [...prefix, "--no-defaults", "--version"]);
  if (failure !== undefined) throw new Error(`${command} does not run: ${failure}`);
  const text = / Ver (\S+)/.exec(output)?.[1] ?? "";
  const version = parseVersion(text);
  if (version === undefined)
    throw new Error(`${command} does not print its version (it printed ${JSON.stringify(output)})`);
  checkKind(command, text + output, version);
  return version;
}

/** @throws Error with a sentence where the server is MariaDB or older than MySQL 8.0 */
export function checkKind(what: string, fullVersion: string, version: Version): void {
  if (/mariadb/i.test(fullVersion)) {
    throw new Error(`${what} is MariaDB ${showVersion(version)}, and MySQL 8.0 or newer is needed`);
  }
  if (version.major < oldestMajor) {
    throw new Error(`${what} is MySQL ${showVersion(version)}, and 8.0 or newer is needed`);
  }
}

function run(command: string, args: readonly string[]): Promise<{ output: string; failure?: string }> {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: 10_000, encoding: "utf8" }, (error, stdout, stderr) => {
      const firstLine = stderr.trim().split("\n")[0];
      if (error) resolve({ output: stdout, failure: firstLine || error.message });
      else resolve({ output: stdout.trim() });
    });
  });
}
