import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quantile, summarize } from "../../bench/statistics";

describe("statistics", () => {
  it("calculates the median, quartiles and p99", () => {
    const values = Array.from({ length: 101 }, (_, i) => 100 - i);
    expect(summarize(values)).toEqual({ count: 101, median: 50, lower: 25, upper: 75, p99: 99 });
  });

  it("interpolates between neighbours", () => {
    expect(summarize([4, 1]).median).toBe(2.5);
    expect(quantile([0, 10], 0.25)).toBe(2.5);
  });

  it("sorts by value, not as text", () => {
    expect(summarize([10, 9, 2]).median).toBe(9);
  });

  it("does not change the measurements", () => {
    const values = [3, 1, 2];
    summarize(values);
    expect(values).toEqual([3, 1, 2]);
  });

  it("the median has at most half of the values above and half below, for any values", () => {
    const times = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 });
    fc.assert(
      fc.property(times, (values) => {
        const { median } = summarize(values);
        expect(values.filter((value) => value < median).length).toBeLessThanOrEqual(values.length / 2);
        expect(values.filter((value) => value > median).length).toBeLessThanOrEqual(values.length / 2);
      }),
    );
  });

  it("refuses an empty series, and a value that is not a number", () => {
    expect(() => summarize([])).toThrow("no value was measured");
    expect(() => summarize([1, Number.NaN])).toThrow("NaN");
  });
});
