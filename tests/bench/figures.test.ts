import { describe, expect, it } from "vitest";
import { atLeast, atMost, figureMarkdown, figureTable, only, readable, replaced, table } from "../../bench/figures";

const measured = (value: number) => ({ figure: "cold start", unit: "ms", value });

describe("a figure", () => {
  it.each([
    [44.9, true],
    [45, true],
    [45.1, false],
  ])("of %d is met (%s) where at most 45 are allowed", (value, met) => {
    expect(atMost(45, measured(value))).toEqual({ ...measured(value), target: 45, met });
  });

  it.each([
    [4.9, false],
    [5, true],
    [5.1, true],
  ])("of %d is met (%s) where at least 5 are wanted", (value, met) => {
    expect(atLeast(5, measured(value)).met).toBe(met);
  });

  it("without a target is neither met nor short", () => {
    expect(only(measured(1))).toEqual({ ...measured(1), target: null, met: null });
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])("of %d is refused", (value) => {
    for (const make of [only, (it: ReturnType<typeof measured>) => atMost(1, it), (it: never) => atLeast(1, it)]) {
      expect(() => make(measured(value) as never)).toThrow("it was not measured");
    }
  });
});

describe("the table", () => {
  it("says which figure falls short", () => {
    const lines = figureTable([atMost(45, measured(44)), atMost(45, measured(115.24)), only(measured(3))]).split("\n");
    expect(lines[2]).toMatch(/^cold start {2}44 ms +45 +met$/);
    expect(lines[3]).toMatch(/^cold start {2}115 ms +45 +SHORT$/);
    expect(lines[4]).toMatch(/^cold start {2}3 ms$/);
  });

  it("is as wide as its widest cells", () => {
    expect(table(["a", "b"], [["long", "x"], ["y"]])).toBe("a     b\n----  -\nlong  x\ny");
  });

  it.each([
    [0.30341, "0.303"],
    [999.6, "1000"],
    [12345.6, "12,346"],
    [0, "0"],
  ])("writes %d as %s", (value, text) => {
    expect(readable(value)).toBe(text);
  });
});

describe("the document's table", () => {
  it("says which figure falls short", () => {
    const lines = figureMarkdown([atMost(45, measured(44)), atMost(45, measured(115.24)), only(measured(3))]).split(
      "\n",
    );
    expect(lines.slice(2)).toEqual([
      "| cold start | 44 ms | 45 | met |",
      "| cold start | 115 ms | 45 | **short** |",
      "| cold start | 3 ms |  |  |",
    ]);
  });

  it("takes the place of the one before and leaves the rest", () => {
    const text = "above\n<!-- figures -->\n\nold\n\n<!-- end of figures -->\nbelow\n";
    const once = replaced(text, "figures", "new");
    expect(once).toBe("above\n<!-- figures -->\n\nnew\n\n<!-- end of figures -->\nbelow\n");
    expect(replaced(once, "figures", "new")).toBe(once);
  });

  it.each(["", "<!-- figures -->\n", "<!-- end of figures -->\n<!-- figures -->\n"])(
    "is not written into %j",
    (text) => {
      expect(() => replaced(text, "figures", "new")).toThrow(
        'no lines "<!-- figures -->" and "<!-- end of figures -->"',
      );
    },
  );
});
