import { type ChildProcess, execFile, fork } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Platform } from "./platform";

const run = promisify(execFile);

/** Resident memory of a process, MB (10^6 bytes). */
export async function residentMB(pid: number): Promise<number> {
  const { stdout } = await run("ps", ["-o", "rss=", "-p", String(pid)]);
  return (Number(stdout) * 1024) / 1e6;
}

/**
 * The peak of a process's resident memory, MB. Linux records it; on other systems this is the current value, so it must
 * be read repeatedly.
 */
export async function peakMB(pid: number): Promise<number> {
  if (process.platform !== "linux") return residentMB(pid);
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return (Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024) / 1e6;
}

/** The process ids of the containers that this process started. */
export async function containerPids(): Promise<number[]> {
  const { stdout } = await run("ps", ["-eo", "pid=,ppid=,args="]);
  return stdout.split("\n").flatMap((line) => {
    const [, pid, parent, args = ""] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return Number(parent) === process.pid && args.includes("lambda/bootstrap.cjs") ? [Number(pid)] : [];
  });
}

/** The INSERT statement alone, in a separate process. */
export class BareInsert {
  private constructor(private readonly child: ChildProcess) {}

  static async start({ mysql }: Platform): Promise<BareInsert> {
    const { host, port, user, password } = mysql.administrator;
    const server = { host, port, user, password, caFile: mysql.caFile };
    const env = { ...process.env, BENCH_MYSQL: JSON.stringify(server) };
    // Without this process's loader, which would slow the child down.
    const child = fork(join(__dirname, "processes/insert.cjs"), { env, execArgv: [] });
    await once(child, "message");
    return new BareInsert(child);
  }

  /** @returns the duration of each INSERT (ms) */
  async insert(count: number): Promise<number[]> {
    this.child.send({ count });
    const [times] = await once(this.child, "message");
    return times;
  }

  end(): void {
    this.child.disconnect();
  }
}

/**
 * How long a Node script takes in a separate process, from its start to its end.
 * @returns milliseconds, and what it printed
 * @throws Error where it ends with an exit code other than 0
 */
export async function timeScript(
  script: string,
  args: readonly string[] = [],
): Promise<{ ms: number; stdout: string }> {
  const startedAt = performance.now();
  const { stdout } = await run(process.execPath, [join(__dirname, script), ...args], { maxBuffer: 64 * 1024 * 1024 });
  return { ms: performance.now() - startedAt, stdout };
}
