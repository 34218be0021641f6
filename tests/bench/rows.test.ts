import { describe, expect, it } from "vitest";
import { checkComplete, figureOf } from "../../bench/figures";
import { type Name, type Row, rows } from "../../bench/rows";

const names = Object.keys(rows) as Name[];
const all = names.map((name) => figureOf(name, 1));

/** The documented targets: a pattern of the row's name, and its target. */
const documented: [RegExp, Omit<Row, "unit">][] = [
  [/warm sign-up over the floor/, { atMost: 1.15 }],
  [/naive over warm sign-up/, { atLeast: 5 }],
  [/p99 over median, warm, 10,000/, { atMost: 4 }],
  [/cold start above an empty function/, { atMost: 45 }],
  [/of it the secret and the connection/, { atMost: 10 }],
  [/archive, zipped/, { atMost: 400 }],
  [/memory after 10,000 sign-ups, above the empty function/, { atMost: 30 }],
  [/memory, growth/, { atMost: 2 }],
  [/connections for 1,000 sign-ups in 50 containers/, { atMost: 50 }],
  [/sign-in of a user with a row/, { atMost: 1 }],
  [/sign-in of a user seen before/, { atMost: 0 }],
  [/reconcile, users a second/, { atLeast: 20_000 }],
  [/reconcile, memory/, { atMost: 10 }],
  [/without a row of their own/, { atMost: 0 }],
  [/evaluating the program/, { atMost: 1.5 }],
  [/npm start to the proof, second start/, { atMost: 5 }],
  [/gateway, upload of 1 MB/, { atMost: 2 }],
];

describe("the rows of a run", () => {
  it.each(documented)("have %s once, with its target", (pattern, target) => {
    const found = names.filter((name) => pattern.test(name));
    expect(found).toHaveLength(1);
    expect(rows[found[0]!]).toEqual({ unit: expect.any(String), ...target });
  });

  it("have no other target", () => {
    const withTarget = names.filter((name) => "atMost" in rows[name] || "atLeast" in rows[name]);
    expect(withTarget).toHaveLength(documented.length);
  });

  it("are complete when each has been measured", () => {
    expect(() => checkComplete(all)).not.toThrow();
  });

  it.each(names)("fail the benchmark where this one was not measured: %s", (name) => {
    expect(() => checkComplete(all.filter(({ figure }) => figure !== name))).toThrow(
      `"${name}" was measured 0 times instead of once`,
    );
  });

  it("fail the benchmark where one was measured twice", () => {
    expect(() => checkComplete([...all, all[0]!])).toThrow(`"${all[0]!.figure}" was measured 2 times`);
  });
});
