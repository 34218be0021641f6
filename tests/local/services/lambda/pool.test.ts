import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Container } from "../../../../local/services/lambda/container";
import { FunctionLog } from "../../../../local/services/lambda/log";
import { Pool } from "../../../../local/services/lambda/pool";
import { Reaper } from "../../../../local/services/lambda/reaper";
import { isRunning, until } from "./support";

let folder: string;
let log: FunctionLog;
let reaper: Reaper;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "pool-"));
  writeFileSync(
    join(folder, "index.js"),
    "exports.handler = async (ms) => { await new Promise((r) => setTimeout(r, ms)); return process.pid; };",
  );
  log = new FunctionLog(join(folder, "f.log"));
  reaper = new Reaper();
});
afterAll(async () => {
  await reaper.close();
  log.close();
  rmSync(folder, { recursive: true });
});

function makePool(idle: number): Pool {
  const options = { folder, environment: { _HANDLER: "index.handler" }, memorySize: 128, timeout: 10, log, reaper };
  return new Pool({ concurrency: 3, reserved: false, idle, start: () => new Container(options) });
}
const run = async (pool: Pool, ms: number): Promise<number> =>
  JSON.parse((await pool.invoke({ id: "1", event: String(ms), invokedArn: "" })).payload);

test("a container without work for the idle time is ended, one with work is not", async () => {
  const pool = makePool(300);
  const pid = await run(pool, 0);
  expect(await run(pool, 600)).toBe(pid);
  expect(isRunning(pid)).toBe(true);
  await until(() => !isRunning(pid));
  expect(await run(pool, 0)).not.toBe(pid);
  await pool.close();
});

test("closing also ends busy containers, fails their invocations, and refuses further ones", async () => {
  const pool = makePool(60_000);
  const pid = await run(pool, 0);
  const busy = pool.invoke({ id: "1", event: "9000", invokedArn: "" });
  await pool.close();
  expect(isRunning(pid)).toBe(false);
  expect(await busy).toMatchObject({ failed: true, payload: expect.stringContaining("Runtime.ExitError") });
  await expect(run(pool, 0)).rejects.toMatchObject({ code: "ServiceException" });
});

test("without a reservation the limit has Lambda's other reason", async () => {
  const pool = makePool(60_000);
  const results = await Promise.allSettled([1, 2, 3, 4].map(() => run(pool, 100)));
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
  expect(results[3]).toMatchObject({ reason: { status: 429, more: { Reason: "ConcurrentInvocationLimitExceeded" } } });
  await pool.close();
});
