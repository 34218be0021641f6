import { describe, expect, it } from "vitest";
import { allOf, interleaved, orderOf, repeated } from "../../bench/rounds";

describe("the rounds", () => {
  it.each([2, 3, 5])("give each of %d series each place equally often, after different series", (count) => {
    const items = Array.from({ length: count }, (_, i) => i);
    const orders = Array.from({ length: 2 * count }, (_, round) => orderOf(items, round));
    for (const place of items) {
      for (const item of items) expect(orders.filter((order) => order[place] === item)).toHaveLength(2);
    }
    const before = new Set(orders.map((order) => order[order.indexOf(0) - 1]));
    expect(before.size).toBeGreaterThan(1);
  });

  it("measure every series in each round, and keep the series apart", async () => {
    const called: string[] = [];
    const series = (name: string, value: number) => async () => {
      called.push(name);
      return [value, value];
    };
    const all = await interleaved(2, { a: series("a", 1), b: series("b", 2) }, async () => {
      called.push("after");
    });
    expect(called).toEqual(["a", "b", "after", "b", "a", "after"]);
    expect(all).toEqual([
      { a: [1, 1], b: [2, 2] },
      { a: [1, 1], b: [2, 2] },
    ]);
    expect(allOf(all, "b")).toEqual([2, 2, 2, 2]);
  });

  it("repeat a call one at a time", async () => {
    let running = 0;
    const values = await repeated(3, async () => {
      expect(++running).toBe(1);
      await Promise.resolve();
      return --running;
    });
    expect(values).toEqual([0, 0, 0]);
  });
});
