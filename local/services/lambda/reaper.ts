import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";

/**
 * Ends the containers when this process is killed. A container notices the end of its parent by itself, but not while
 * the function computes without a pause; so one small process beside them watches for all.
 */
export class Reaper {
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;

  constructor() {
    this.#process = spawn(process.execPath, [join(__dirname, "reaper.cjs")], {
      stdio: ["pipe", "ignore", "ignore"],
      env: {},
      detached: true, // Ctrl-C in the terminal must not end it before its time.
      windowsHide: true,
    });
    this.#process.unref();
    this.#process.stdin!.on("error", () => {}); // It was ended from outside; containers still notice by themselves.
    this.#ended = new Promise((resolve) => {
      this.#process.on("exit", () => resolve());
      this.#process.on("error", () => resolve());
    });
  }

  /** From now on the process and its group end with this one. */
  watch(pid: number): void {
    this.#tell(`+${pid}`);
  }

  /** The process has ended; its number may soon be another's. */
  forget(pid: number): void {
    this.#tell(`-${pid}`);
  }

  /** Ends the watching process, and what is still watched. */
  async close(): Promise<void> {
    this.#process.stdin!.end();
    await this.#ended;
  }

  #tell(line: string): void {
    if (this.#process.stdin!.writable) this.#process.stdin!.write(`${line}\n`);
  }
}
