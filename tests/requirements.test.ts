/** docs/requirements.md names, for each requirement, the test that asserts it; here: that file and title exist. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { projectRoot } from "./support/native";

const text = readFileSync(path.join(projectRoot, "docs/requirements.md"), "utf8");

/** The tests named in the last cell of each row: each "title" belongs to the `tests/…` file before it. */
const named = text
  .split("\n")
  .filter((line) => /^\|.*`tests\//.test(line))
  .flatMap((line) => {
    const cell = line.split("|").at(-2) ?? "";
    let file = "";
    return [...cell.matchAll(/`(tests\/[^`]+)`|"([^"]+)"/g)].flatMap(([, found, title]) => {
      file = found ?? file;
      return title === undefined || file === "" ? [] : [{ file, title }];
    });
  });

describe("docs/requirements.md", () => {
  it("has a part for each of S1 to S10", () => {
    expect([...text.matchAll(/^## (S\d+):? /gm)].map(([, row]) => row)).toEqual(
      Array.from({ length: 10 }, (_, index) => `S${index + 1}`),
    );
  });

  it.each(named)("$file has the test $title", ({ file, title }) => {
    expect(readFileSync(path.join(projectRoot, file), "utf8")).toContain(title);
  });

  it("names only files and folders that exist; so does CONTRIBUTING.md, except for placeholders (NAME, NNNN)", () => {
    const documents = [text, readFileSync(path.join(projectRoot, "CONTRIBUTING.md"), "utf8")];
    const folders = "infra|functions|schema|host|cli|local|operations|policies|bench|tests|docs";
    const paths = documents.flatMap((document) =>
      [...document.matchAll(new RegExp(`\`((?:${folders})/[\\w./-]*)\``, "g"))].map(([, found]) => found ?? ""),
    );
    expect(paths.length).toBeGreaterThan(80);
    const missing = paths.filter((name) => !existsSync(path.join(projectRoot, name)));
    expect(missing.filter((name) => !/NAME|NNNN/.test(name))).toEqual([]);
  });
});
