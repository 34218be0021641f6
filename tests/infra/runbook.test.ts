/** The runbook: a section for each alarm, and the parts of each section. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as queueErrors from "../../functions/enqueueUser/errors";
import * as errors from "../../functions/registerUser/errors";
import * as rotationErrors from "../../functions/rotateSecret/errors";
import * as sharedErrors from "../../functions/shared/errors";
import { errorsOf } from "../support/failures";
import { projectRoot } from "../support/native";
import { keys, onAurora, withAll } from "./watchedStack";

describe("docs/runbook.md", () => {
  const runbook = readFileSync(join(projectRoot, "docs/runbook.md"), "utf8");
  const [, ...sections] = runbook.slice(runbook.indexOf("\n## Alarms")).split("\n### ");
  /** GitHub's anchor of a heading. */
  const anchor = (heading: string) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, "")
      .replaceAll(" ", "-");
  const anchors = sections.map((section) => anchor(section.split("\n")[0]!));
  const sectionOf = (key: string) => sections[anchors.indexOf(key)];

  it("has a section for each alarm, and an alarm for each section", () => {
    const all = new Set([...keys(withAll), ...keys(onAurora)]);
    expect(anchors.toSorted()).toEqual([...all].toSorted());
  });

  it("says in each what it means for people, where to look, what to do, and when it is over", () => {
    for (const section of sections) {
      const parts = [...section.matchAll(/^\*\*(For people|Look|Do|Over)\*\*/gm)].map(([, part]) => part);
      expect(parts, section.split("\n")[0]).toEqual(["For people", "Look", "Do", "Over"]);
    }
  });

  it.each([
    ["registration", { ...errors, ...sharedErrors }, "registration-failures"],
    ["queueing", { ...queueErrors, ...sharedErrors }, "registration-failures"],
    ["rotation", rotationErrors, "rotation-failures"],
  ] as const)("names every code that the %s function logs", (_, all, section) => {
    const codes = errorsOf(all).map(({ code }) => code);
    expect(codes.length).toBeGreaterThan(1);
    for (const code of codes) expect(sectionOf(section)).toContain(`\`${code}\``);
  });

  it("refers only to existing sections and configuration keys", () => {
    const headings = [...runbook.matchAll(/^#{2,3} (.+)$/gm)].map(([, heading]) => anchor(heading!));
    for (const [, target] of runbook.matchAll(/\]\(#([^)]+)\)/g)) expect(headings).toContain(target);
    const declared = readFileSync(join(projectRoot, "Pulumi.yaml"), "utf8");
    const named = [...runbook.matchAll(/`((?:database|registration|api|alarms)\.\w+)`/g)].map(([, key]) => key!);
    for (const key of named) expect(declared).toContain(`  ${key}:`);
  });
});
