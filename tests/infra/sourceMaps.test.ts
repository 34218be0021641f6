/** The program runs without source maps; an error of it is told with the lines of its sources all the same. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { withoutSourceMaps } from "../../infra/errors/sourceMaps";
import { projectRoot } from "../support/native";

afterEach(() => vi.restoreAllMocks());

it("has them off while the work is done, and as they were after it, also when it fails", async () => {
  const set = vi.spyOn(process, "setSourceMapsEnabled").mockImplementation(() => {});
  const before = process.sourceMapsEnabled;
  expect(await withoutSourceMaps(async () => set.mock.calls.length)).toBe(1);
  await expect(withoutSourceMaps(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(set.mock.calls).toEqual([[false], [before], [false], [before]]);
});

it("leaves an error its lines", () => {
  const script = `
    const { withoutSourceMaps } = require("./infra/errors/sourceMaps.ts");
    const { chooseZones } = require("./infra/network/zones.ts");
    withoutSourceMaps(async () => chooseZones({ names: [], zoneIds: [] }, 2)).catch(({ stack }) => console.log(stack));
  `;
  const { stdout } = spawnSync(process.execPath, ["-r", "tsx/cjs", "-e", script], {
    cwd: projectRoot,
    encoding: "utf8",
  });
  const lines = readFileSync(path.join(projectRoot, "infra/network/zones.ts"), "utf8").split("\n");
  const thrown = lines.findIndex((line) => line.includes("throw new")) + 1;
  expect(thrown).toBeGreaterThan(1);
  expect(stdout).toContain(`infra/network/zones.ts:${thrown}:`);
});
