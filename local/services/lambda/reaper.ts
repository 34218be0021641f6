import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";

/**
 * Ends the containers when this process is killed. A container itself notices the end of its parent, but not while the
 * function blocks the event loop. So one additional small process watches all containers.
 */
export class Reaper {
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;

  constructor() {
    this.#process = spawn(process.execPath, [join(__dirname, "reaper.cjs")], {
      stdio: ["pipe", "ignore", "ignore"],
      env: {},
      detached: true, // Ctrl-C in the terminal must not end it before the containers.
      windowsHide: true,
    });
    this.#process.unref();
    this.#process.stdin!.on("error", () => {}); // It was killed; containers still notice their parent's end.
    this.#ended = new Promise((resolve) => {
      this.#process.on("exit", () => resolve());
      this.#process.on("error", () => resolve());
    });
  }

  /** From now on the process and its group end when this process ends. */
  watch(pid: number): void {
    this.#send(`+${pid}`);
  }

  /** The process has ended; another process may soon get its ID. */
  forget(pid: number): void {
    this.#send(`-${pid}`);
  }

  /** Ends the watching process, and the processes that it still watches. */
  async close(): Promise<void> {
    this.#process.stdin!.end();
    await this.#ended;
  }

  #send(line: string): void {
    if (this.#process.stdin!.writable) this.#process.stdin!.write(`${line}\n`);
  }
}
