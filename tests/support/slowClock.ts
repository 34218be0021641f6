import timers from "node:timers";
import { vi } from "vitest";

/**
 * Lets time pass five times slower for the code under test, until `vi.restoreAllMocks()`: its limits of a second or five
 * then hold on a busy machine too. For tests that do not wait for a limit.
 */
export function slowClock(factor = 5): void {
  const now = performance.now.bind(performance);
  const start = now();
  vi.spyOn(performance, "now").mockImplementation(() => start + (now() - start) / factor);
  const later = globalThis.setTimeout;
  const slowly = ((work: () => void, milliseconds = 0, ...values: []) =>
    later(work, milliseconds * factor, ...values)) as typeof setTimeout;
  vi.spyOn(globalThis, "setTimeout").mockImplementation(slowly);
  // The MySQL driver's timers.
  vi.spyOn(timers, "setTimeout").mockImplementation(slowly);
  const abort = AbortSignal.timeout.bind(AbortSignal);
  vi.spyOn(AbortSignal, "timeout").mockImplementation((milliseconds) => abort(milliseconds * factor));
}
