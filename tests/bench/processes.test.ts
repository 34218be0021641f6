import { describe, expect, it } from "vitest";
import { peakMB, residentMB } from "../../bench/children";

describe("a process's memory", () => {
  it("has a peak that is about as large as its current value or larger", async () => {
    const now = await residentMB(process.pid);
    expect(now).toBeGreaterThan(10);
    expect(await peakMB(process.pid)).toBeGreaterThan(now * 0.9);
  });

  it("cannot be read for a process that does not exist", async () => {
    await expect(peakMB(2 ** 30)).rejects.toThrow();
  });
});
