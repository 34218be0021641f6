import { describe, expect, it } from "vitest";
import { figureMarkdown, figureOf, figureTable, readable, replaced, table } from "../../bench/figures";

const coldStart = (value: number) => figureOf("cold start above an empty function", value);
const figures = [coldStart(44), coldStart(115.24), figureOf("sign-up, warm", 3)];

describe("a figure", () => {
  it.each([
    [44.9, true],
    [45, true],
    [45.1, false],
  ])("of %d is met (%s) where at most 45 are allowed", (value, met) => {
    const figure = "cold start above an empty function";
    expect(coldStart(value)).toEqual({ figure, unit: "ms", value, target: 45, met });
  });

  it.each([
    [4.9, false],
    [5, true],
    [5.1, true],
  ])("of %d is met (%s) where at least 5 are required", (value, met) => {
    expect(figureOf("naive over warm sign-up", value)).toMatchObject({ target: 5, met });
  });

  it("is met at 0 where none is allowed", () => {
    const name = "sign-in of a user seen before in the container";
    expect(figureOf(name, 0)).toMatchObject({ target: 0, met: true });
    expect(figureOf(name, 1)).toMatchObject({ target: 0, met: false });
  });

  it("without a target is neither met nor short", () => {
    expect(figureOf("sign-up, warm", 1, "one call")).toEqual({
      figure: "sign-up, warm",
      unit: "ms",
      value: 1,
      target: null,
      met: null,
      detail: "one call",
    });
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])("of %d is refused", (value) => {
    expect(() => coldStart(value)).toThrow("it was not measured");
    expect(() => figureOf("sign-up, warm", value)).toThrow("it was not measured");
  });
});

describe("the table", () => {
  it("marks a figure that does not meet its target", () => {
    const lines = figureTable(figures).split("\n");
    expect(lines[2]).toMatch(/^cold start above an empty function {2}44 ms +45 +met$/);
    expect(lines[3]).toMatch(/^cold start above an empty function {2}115 ms +45 +SHORT$/);
    expect(lines[4]).toMatch(/^sign-up, warm +3 ms$/);
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
  it("marks a figure that does not meet its target", () => {
    const lines = figureMarkdown(figures).split("\n");
    expect(lines.slice(2)).toEqual([
      "| cold start above an empty function | 44 ms | 45 | met |",
      "| cold start above an empty function | 115 ms | 45 | **short** |",
      "| sign-up, warm | 3 ms |  |  |",
    ]);
  });

  it("replaces the earlier one and leaves the rest of the document", () => {
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
