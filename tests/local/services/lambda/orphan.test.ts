import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { isRunning, until } from "./support";

/** A process with three containers: one idle, one waiting and one that blocks its event loop. */
const program = (folder: string) => `
  const { Container } = require(${JSON.stringify(resolve("local/services/lambda/container"))});
  const { FunctionLog } = require(${JSON.stringify(resolve("local/services/lambda/log"))});
  const { Reaper } = require(${JSON.stringify(resolve("local/services/lambda/reaper"))});
  const reaper = new Reaper();
  const log = new FunctionLog(${JSON.stringify(join(folder, "f.log"))});
  const environment = { _HANDLER: "index.handler" };
  const options = { folder: ${JSON.stringify(folder)}, environment, memorySize: 128, timeout: 900, log, reaper };
  const start = () => new Container(options);
  const invoke = (container, event) => container.invoke({ id: "1", event: JSON.stringify(event), invokedArn: "" });
  (async () => {
    const containers = [start(), start(), start()];
    const pids = await Promise.all(containers.map((container) => invoke(container, { do: "pid" })));
    void invoke(containers[1], { do: "wait" });
    void invoke(containers[2], { do: "spin" });
    setTimeout(() => console.log(pids.map(({ payload }) => payload).join(" ")), 200);
  })();
`;
const source = `exports.handler = async (event) => {
  if (event.do === "wait") await new Promise((resolve) => setTimeout(resolve, 600_000));
  if (event.do === "spin") for (;;) {}
  return process.pid;
};`;

test("no container outlives the process that started it, even when that is killed", async () => {
  const folder = mkdtempSync(join(tmpdir(), "orphan-"));
  writeFileSync(join(folder, "index.js"), source);
  const file = join(folder, "program.cjs");
  writeFileSync(file, program(folder));
  const parent = spawn(process.execPath, ["--import", "tsx", file], { stdio: ["ignore", "pipe", "inherit"] });
  const pids = await new Promise<number[]>((found) => {
    createInterface({ input: parent.stdout! }).once("line", (line) => found(line.split(" ").map(Number)));
  });
  try {
    expect(pids.map(isRunning)).toEqual([true, true, true]);
    parent.kill("SIGKILL");
    // Otherwise they would run for ten minutes and more.
    await until(() => !pids.some(isRunning));
  } finally {
    for (const pid of pids.filter(isRunning)) process.kill(pid, "SIGKILL");
    rmSync(folder, { recursive: true });
  }
});
