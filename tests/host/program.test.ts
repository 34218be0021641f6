import { readFile } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";
import { recordProgram } from "../support/program";

it("an evaluation restores the working directory, and the paths of an archive's files are absolute", async () => {
  const before = process.cwd();
  const { inputs } = (await recordProgram()).one("aws:lambda/function:Function", "register-user");
  expect(process.cwd()).toBe(before);

  const { assets } = inputs.code as { assets: Promise<Record<string, { path?: Promise<string> }>> };
  const paths = await Promise.all(Object.values(await assets).map((asset) => asset.path));
  const files = paths.filter((file) => file !== undefined);
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) {
    expect(path.isAbsolute(file)).toBe(true);
    expect(await readFile(file, "utf8")).toContain("createHandler");
  }
});

it("an evaluation that fails restores the working directory, too", async () => {
  const before = process.cwd();
  await expect(recordProgram({ "ecommerce:bucketName": "No Bucket" })).rejects.toThrow("bucketName");
  expect(process.cwd()).toBe(before);
});
