import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Journal } from "../../../local/lib/journal";

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "journal-"));
  file = join(directory, "some", "journal.jsonl");
});
afterEach(() => rmSync(directory, { recursive: true }));

test("keeps entries and their order when it is opened again, in a file that only its owner may read", () => {
  const journal = new Journal<number>(file);
  for (const [key, value] of Object.entries({ b: 1, a: 2, "__proto__ é\n": 3 })) journal.set(key, value);
  journal.set("b", 4);
  journal.delete("a");
  journal.delete("unknown");
  const again = new Journal<number>(file);
  expect([...again.keys()]).toEqual([...journal.keys()]);
  expect([again.get("b"), again.get("a"), again.size]).toEqual([4, undefined, 2]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test("each change appends one line, and opening drops the lines that are out of date", () => {
  const journal = new Journal<string>(file);
  journal.set("a", "1");
  const { size } = statSync(file);
  for (let i = 0; i < 500; i++) journal.set("a", "1");
  expect(statSync(file).size).toBe(size * 501);
  new Journal(file);
  expect(readFileSync(file, "utf8")).toBe('["a","1"]\n');
});

test("a write that was cut short loses only itself", () => {
  new Journal<string>(file).set("a", "kept");
  appendFileSync(file, '["b","cut sh');
  const journal = new Journal<string>(file);
  journal.set("c", "later");
  expect([...new Journal<string>(file).values()]).toEqual(["kept", "later"]);
});

test("an error names the file and the line that has another format", () => {
  new Journal<string>(file).set("a", "1");
  writeFileSync(file, '["a","1"]\n{"b":2}\n');
  expect(() => new Journal(file)).toThrow(`${file}, line 2`);
});

test("reads lines and characters that continue in the next chunk", () => {
  const long = "é€".repeat(600_000);
  const journal = new Journal<string>(file);
  journal.set("x", "1");
  journal.set("long", long);
  expect(new Journal<string>(file).get("long")).toBe(long);
});
