import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { freePort } from "../../../cli/ports";
import { DataFolder } from "../../../local/lib/dataFolder";
import { ownPorts } from "../../support/ownPorts";

ownPorts();

let path: string;
let folder: DataFolder;
beforeEach(async () => {
  path = mkdtempSync(join(tmpdir(), "ecommerce-folder-"));
  folder = await DataFolder.open(path);
});
afterEach(async () => {
  await folder.close();
  rmSync(path, { recursive: true, force: true });
});

const remembered = () => JSON.parse(readFileSync(join(path, "ports.json"), "utf8"));

it("chooses a port for each use once, and remembers it for the next start", async () => {
  const [s3, api] = [await folder.port("s3"), await folder.port("api")];
  expect(s3).not.toBe(api);
  expect(remembered()).toEqual({ s3, api });
  await folder.close();
  folder = await DataFolder.open(path);
  expect([await folder.port("s3"), await folder.port("api")]).toEqual([s3, api]);
});

it("never returns a port that the start needs for something else, also not a remembered one", async () => {
  const range = process.env.LOCAL_PORTS;
  const page = (await freePort()) + 1;
  folder.leaveFree(page);
  process.env.LOCAL_PORTS = `${page}-${page}`;
  await expect(folder.port("s3")).rejects.toThrow(`No free port on 127.0.0.1 from ${page} to ${page}`);
  process.env.LOCAL_PORTS = `${page}-${page + 1}`;
  expect(await folder.port("s3")).toBe(page + 1);

  process.env.LOCAL_PORTS = range;
  folder.leaveFree(page + 1);
  const moved = await folder.port("s3");
  expect([page, page + 1]).not.toContain(moved);
  expect(remembered()).toEqual({ s3: moved });
});
