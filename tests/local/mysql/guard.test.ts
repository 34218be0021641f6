import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isRunning } from "../../../local/lib/processes/isRunning";
import { startGuarded } from "../../../local/lib/processes/startGuarded";
import { projectRoot } from "../../support/native";

let directory: string;
let logFile: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), "guard-"));
  logFile = path.join(directory, "out.log");
});
afterAll(() => rm(directory, { recursive: true }));

async function gone(pid: number, milliseconds: number): Promise<boolean> {
  for (let waited = 0; waited < milliseconds; waited += 50) {
    if (!isRunning(pid)) return true;
    await sleep(50);
  }
  return false;
}

describe("startGuarded", () => {
  it("runs a command, writes its output to a file for the owner only, and returns how it ended", async () => {
    const child = await startGuarded("sh", ["-c", "echo out; echo err >&2; exit 7"], { logFile });
    expect(await child.exited).toEqual({ code: 7, signal: null });
    expect(await readFile(logFile, "utf8")).toBe("out\nerr\n");
    expect((await stat(logFile)).mode & 0o777).toBe(0o600);
  });

  it("ends the command by SIGTERM, also when stop is called twice", async () => {
    const child = await startGuarded("sleep", ["60"], { logFile });
    expect(isRunning(child.pid)).toBe(true);
    const exits = await Promise.all([child.stop(), child.stop()]);
    expect(exits).toEqual([
      { code: null, signal: "SIGTERM" },
      { code: null, signal: "SIGTERM" },
    ]);
    expect(isRunning(child.pid)).toBe(false);
  });

  it("kills a command that ignores SIGTERM", async () => {
    const stubborn = "trap '' TERM; echo ready; while :; do sleep 1; done";
    const child = await startGuarded("sh", ["-c", stubborn], { logFile, graceMilliseconds: 200 });
    while (!(await readFile(logFile, "utf8")).includes("ready")) await sleep(20);
    expect(await child.stop()).toEqual({ code: null, signal: "SIGKILL" });
  });

  it("says when the command cannot be started", async () => {
    await expect(startGuarded("/no/such/program", [], { logFile })).rejects.toThrow(/\/no\/such\/program.*ENOENT/);
    const cwd = path.join(directory, "none");
    await expect(startGuarded("true", [], { logFile, cwd })).rejects.toThrow(/ENOENT/);
  });
});

describe("a MySQL whose starter is killed", () => {
  it("ends too", async () => {
    // tsx as a loader, not as a wrapper process: the signal must reach the starter itself.
    const starter = spawn(process.execPath, ["--import", "tsx", path.join(__dirname, "holdServer.ts")], {
      cwd: projectRoot,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const { pid, directory: data } = await new Promise<{ pid: number; directory: string }>((resolve, reject) => {
      starter.stdout.once("data", (line) => resolve(JSON.parse(String(line))));
      starter.once("exit", (code) => reject(new Error(`the starter ended with ${code}`)));
    });
    try {
      expect(isRunning(pid)).toBe(true);
      starter.kill("SIGKILL");
      expect(await gone(pid, 60_000)).toBe(true);
    } finally {
      await rm(data, { recursive: true });
    }
  });
});
