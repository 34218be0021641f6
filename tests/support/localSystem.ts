/** Runs the command of `npm start` as a person would, with a data folder of the test. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Outputs } from "../../cli/localOutputs";
import { freePort } from "../../cli/ports";
import { projectRoot } from "./native";

export interface Finished {
  readonly code: number | null;
  /** Standard output and standard error, in the order in which they arrived. */
  readonly output: string;
}

export interface RunningSystem {
  readonly process: ChildProcess;
  readonly outputs: Outputs;
  /** The output until now. */
  printed(): string;
  /** Sends the signal and waits until the process ends. */
  stop(signal?: NodeJS.Signals): Promise<Finished>;
}

/** Arguments that make managed login redirect people to this URL; if it is on localhost, the page is served there. */
export const sendingBackTo = (url: string) =>
  ["callbackUrls", "signOutUrls"].flatMap((key) => ["--set", `${key}=${url}`]);

/** Use → port that the next start in the folder uses again; empty before the first start. */
export function rememberedPorts(directory: string): Record<string, number> {
  const file = join(directory, "ports.json");
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
}

/** The command itself, or as `npm start` runs it. */
const commands = { node: [process.execPath, "local/start.cjs"], npm: ["npm", "start", "--"] } as const;

async function launch(directory: string, args: string[], env: NodeJS.ProcessEnv, command: keyof typeof commands) {
  // Every start serves its page on its own port: tests run in parallel, and beside a person's own system. The ports
  // that the start will use again are excluded, because they are free until then.
  const port = await freePort(Object.values(rememberedPorts(directory)));
  const own = sendingBackTo(`http://localhost:${port}/`);
  const [file, ...first] = commands[command];
  const child = spawn(file, [...first, "--dir", directory, ...own, ...args], {
    cwd: projectRoot,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    // Its own process group, as for a command that a terminal starts.
    detached: command === "npm",
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (part: string) => {
      output += part;
    });
  }
  const finished = once(child, "close").then(([code]) => ({ code: code as number | null, output }));
  return { child, finished, printed: () => output };
}

/** Runs the command until it ends by itself. */
export async function runToEnd(directory: string, args: string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Finished> {
  return (await launch(directory, args, env, "node")).finished;
}

/** Starts the system and waits until it prints that it is ready. */
export async function startLocalSystem(
  directory: string,
  args: string[] = [],
  env: NodeJS.ProcessEnv = {},
  command: keyof typeof commands = "node",
): Promise<RunningSystem> {
  const { child, finished, printed } = await launch(directory, args, env, command);
  const ready = new Promise<void>((resolve) => {
    child.stdout.on("data", () => {
      if (printed().includes("Ctrl-C stops it")) resolve();
    });
  });
  const ended = finished.then(({ code, output }) => {
    throw new Error(`The local system ended with code ${code} before it was ready:\n${output}`);
  });
  ended.catch(() => {});
  await Promise.race([ready, ended]);
  return {
    process: child,
    outputs: JSON.parse(await readFile(join(directory, "outputs.json"), "utf8")) as Outputs,
    printed,
    stop(signal = "SIGTERM") {
      child.kill(signal);
      return finished;
    },
  };
}
