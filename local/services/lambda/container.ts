import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import type { FunctionLog } from "./log";
import type { Reaper } from "./reaper";

/** The function that a container runs. */
export interface ContainerOptions {
  readonly folder: string;
  /** The whole environment of the process. */
  readonly environment: Readonly<Record<string, string>>;
  /** MB, as the function declares it. */
  readonly memorySize: number;
  /** Seconds, as the function declares it. */
  readonly timeout: number;
  readonly log: FunctionLog;
  readonly reaper: Reaper;
}

/** One request to the function. */
export interface Invocation {
  readonly id: string;
  /** JSON text. */
  readonly event: string;
  readonly invokedArn: string;
}

/** How an invocation ended: the answer's JSON text, or the error that Lambda reports as JSON text. */
export interface Outcome {
  readonly payload: string;
  readonly failed: boolean;
}

interface Message {
  readonly type: "ready" | "failedStart" | "answer" | "error";
  readonly id?: string;
  readonly payload?: string;
  readonly error?: object;
  /** The process ends right after this message. */
  readonly fatal?: boolean;
}

/** Lambda gives the start of a container ten seconds. */
const maxStartSeconds = 10;
/** Lambda's limit for an answer: 6 MB and 100 bytes. */
const maxAnswerSize = 6 * 1024 * 1024 + 100;

/** A process that runs one function, one invocation at a time. It ends when this process ends for any reason. */
export class Container {
  /** Resolves when the process has ended. */
  readonly ended: Promise<void>;
  readonly #options: ContainerOptions;
  readonly #child: ChildProcess;
  /** Undefined after a successful start, else the error that each invocation returns. */
  readonly #started: Promise<string | undefined>;
  #alive = true;
  #exit: string | undefined;
  #waiting: ((message: Message | "exit") => void) | undefined;

  constructor(options: ContainerOptions) {
    this.#options = options;
    const { folder, environment, memorySize, log, reaper } = options;
    // As on Lambda, a tenth of the memory is reserved for everything outside the JavaScript heap.
    const args = [`--max-old-space-size=${Math.floor(memorySize * 0.9)}`, join(__dirname, "bootstrap.cjs")];
    this.#child = spawn(process.execPath, args, {
      cwd: folder,
      env: { ...environment },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      // A separate process group: Ctrl-C does not reach it, and killing it also kills the processes of the function.
      detached: true,
      windowsHide: true,
    });
    const { pid } = this.#child;
    if (pid !== undefined) reaper.watch(pid);
    const flushes = [log.follow(this.#child.stdout!), log.follow(this.#child.stderr!)];
    this.ended = new Promise((resolve) => {
      const end = (exit: string) => {
        this.#alive = false;
        this.#exit ??= exit;
        for (const flush of flushes) flush();
        this.#waiting?.("exit");
        resolve();
      };
      this.#child.on("error", (error) => end(`Runtime failed to start: ${error.message}`));
      this.#child.once("exit", () => {
        this.kill(); // Processes that it started keep its output open, and must end too.
        reaper.forget(pid!);
      });
      this.#child.once("close", (code, signal) => end(exitText(code, signal)));
    });
    this.#child.on("message", (message: Message) => {
      if (message.fatal) this.#alive = false;
      this.#waiting?.(message);
    });
    this.#started = this.#next(maxStartSeconds * 1000).then((first) => this.#startError(first));
  }

  /** Whether it can take another invocation. */
  get alive(): boolean {
    return this.#alive;
  }

  /** Runs one invocation; never rejects. Calls `onStart` when the function's own timeout begins. */
  async invoke({ id, event, invokedArn }: Invocation, onStart: () => void = () => {}): Promise<Outcome> {
    const startError = await this.#started;
    if (startError !== undefined || !this.#alive) return failed(startError ?? this.#exitError(id));
    onStart();
    const { timeout } = this.#options;
    const answer = this.#next(timeout * 1000, id);
    const request = { id, event, arn: invokedArn, deadline: Date.now() + timeout * 1000 };
    this.#child.send(request, () => {}); // If it cannot be sent, the process is ending, which `answer` reports.
    const message = await answer;
    if (message === "timeout") {
      this.kill();
      const seconds = timeout.toFixed(2);
      return failed(error("Sandbox.Timedout", `RequestId: ${id} Error: Task timed out after ${seconds} seconds`));
    }
    if (message === "exit") return failed(this.#exitError(id));
    if (message.type === "error") return failed(JSON.stringify(message.error));
    const payload = message.payload ?? "null";
    if (Buffer.byteLength(payload) > maxAnswerSize) {
      const text = `Response payload size exceeded maximum allowed payload size (${maxAnswerSize} bytes).`;
      return failed(error("Function.ResponseSizeTooLarge", text));
    }
    return { payload, failed: false };
  }

  /** Kills the process and the processes that it started. */
  kill(): void {
    this.#alive = false;
    try {
      if (this.#child.pid !== undefined && process.platform !== "win32") process.kill(-this.#child.pid, "SIGKILL");
      else this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
  }

  /** The next message (of this invocation); "exit" if the process ends before, "timeout" if the time is over. */
  #next(milliseconds: number, id?: string): Promise<Message | "exit" | "timeout"> {
    if (this.#exit !== undefined) return Promise.resolve("exit");
    return new Promise((resolve) => {
      const settle = (message: Message | "exit" | "timeout") => {
        clearTimeout(timer);
        this.#waiting = undefined;
        resolve(message);
      };
      const timer = setTimeout(() => settle("timeout"), milliseconds);
      this.#waiting = (message) => {
        if (message === "exit" || message.id === id) settle(message);
      };
    });
  }

  #startError(first: Message | "exit" | "timeout"): string | undefined {
    if (first === "exit") return error("Runtime.ExitError", `Error: ${this.#exit}`);
    if (first === "timeout") {
      this.kill();
      return error("Sandbox.Timedout", `Error: The function's start timed out after ${maxStartSeconds}.00 seconds`);
    }
    return first.type === "failedStart" ? JSON.stringify(first.error) : undefined;
  }

  #exitError(id: string): string {
    return error("Runtime.ExitError", `RequestId: ${id} Error: ${this.#exit ?? "Runtime exited"}`);
  }
}

function failed(payload: string): Outcome {
  return { payload, failed: true };
}

function error(errorType: string, errorMessage: string): string {
  return JSON.stringify({ errorType, errorMessage });
}

function exitText(code: number | null, signal: NodeJS.Signals | null): string {
  const names: Partial<Record<NodeJS.Signals, string>> = { SIGKILL: "killed", SIGABRT: "aborted" };
  if (signal) return `Runtime exited with error: signal: ${names[signal] ?? signal}`;
  return code === 0 ? "Runtime exited without providing a reason" : `Runtime exited with error: exit status ${code}`;
}
