/** The program runs without source maps; its errors still have the lines of the sources. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { withoutSourceMaps } from "../../infra/errors/sourceMaps";
import { projectRoot } from "../support/native";

afterEach(() => vi.restoreAllMocks());

it("switches source maps off during the work, and restores them, also after a failure", async () => {
  const set = vi.spyOn(process, "setSourceMapsEnabled").mockImplementation(() => {});
  const before = process.sourceMapsEnabled;
  expect(await withoutSourceMaps(async () => set.mock.calls.length)).toBe(1);
  await expect(withoutSourceMaps(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(set.mock.calls).toEqual([[false], [before], [false], [before]]);
});

it("keeps the lines of the sources in an error", () => {
  const script = `
    const { withoutSourceMaps } = require("./infra/errors/sourceMaps.ts");
    const { chooseZones } = require("./infra/network/availabilityZones.ts");
    withoutSourceMaps(async () => chooseZones({ names: [], zoneIds: [] }, 2)).catch(({ stack }) => console.log(stack));
  `;
  const { stdout } = spawnSync(process.execPath, ["-r", "tsx/cjs", "-e", script], {
    cwd: projectRoot,
    encoding: "utf8",
  });
  const lines = readFileSync(path.join(projectRoot, "infra/network/availabilityZones.ts"), "utf8").split("\n");
  const thrown = lines.findIndex((line) => line.includes("throw new")) + 1;
  expect(thrown).toBeGreaterThan(1);
  expect(stdout).toContain(`infra/network/availabilityZones.ts:${thrown}:`);
});
