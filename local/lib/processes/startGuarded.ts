/** Child processes that never outlive this one. */
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

export interface GuardedOptions {
  /** Gets the command's output; emptied at each start, mode 0600. */
  readonly logFile: string;
  /** @default this process's folder */
  readonly cwd?: string;
  /** Milliseconds between SIGTERM and SIGKILL. @default 10000 */
  readonly graceMilliseconds?: number;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface GuardedProcess {
  /** The command's own process id, not the guard's. */
  readonly pid: number;
  /** Settles when the command has ended, for whatever reason; never rejects. */
  readonly exited: Promise<Exit>;
  /** Ends the command (SIGTERM, later SIGKILL) and waits for its end; safe to call twice. */
  stop(): Promise<Exit>;
}

/**
 * Starts a command under a guard process which ends it when this process ends, even by SIGKILL. Both run in a session
 * of their own: Ctrl-C in the terminal reaches this process only, which then stops its children in the order it needs.
 * @throws Error where the command cannot be started
 */
export async function startGuarded(
  command: string,
  args: readonly string[],
  options: GuardedOptions,
): Promise<GuardedProcess> {
  mkdirSync(path.dirname(options.logFile), { recursive: true });
  const log = openSync(options.logFile, "w", 0o600);
  const guardFile = path.join(__dirname, "guard.cjs");
  const guard = spawn(
    process.execPath,
    [guardFile, String(options.graceMilliseconds ?? 10_000), command, ...args],
    // Node's options (a debugger's port, a loader) are for this process, not for the guard.
    {
      stdio: ["pipe", log, log, "pipe"],
      detached: true,
      cwd: options.cwd,
      env: { ...process.env, NODE_OPTIONS: "" },
    },
  );
  closeSync(log);
  const guardInput = guard.stdin as Writable;
  guardInput.on("error", () => {}); // The guard has ended already; only its exit matters.

  let exit: Exit = { code: null, signal: null };
  const exited = new Promise<Exit>((resolve) => {
    guard.on("close", () => resolve(exit));
    guard.on("error", () => resolve(exit));
  });
  const pid = await new Promise<number>((resolve, reject) => {
    guard.on("error", reject);
    guard.on("close", () => reject(new Error(`${command} could not be started: its guard process ended`)));
    createInterface({ input: guard.stdio[3] as Readable }).on("line", (line) => {
      const event = JSON.parse(line) as { pid?: number; error?: string } & Partial<Exit>;
      if (event.pid !== undefined) resolve(event.pid);
      else if (event.error !== undefined) reject(new Error(`${command} could not be started: ${event.error}`));
      else exit = { code: event.code ?? null, signal: event.signal ?? null };
    });
  });
  return {
    pid,
    exited,
    stop: () => {
      guardInput.end();
      return exited;
    },
  };
}
