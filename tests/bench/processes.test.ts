import { describe, expect, it } from "vitest";
import { peakMB, residentMB } from "../../bench/children";

describe("a process's memory", () => {
  it("has been as large as it is, and stays so", async () => {
    const now = await residentMB(process.pid);
    expect(now).toBeGreaterThan(10);
    expect(await peakMB(process.pid)).toBeGreaterThan(now * 0.9);
  });

  it("is not known of a process that is gone", async () => {
    await expect(peakMB(2 ** 30)).rejects.toThrow();
  });
});
