/** What the functions use of Lambda's context. */
export interface Invocation {
  getRemainingTimeInMillis(): number;
}

/** The milliseconds that are left; called again before every step. Negative when the time is up. */
export type RemainingTime = () => number;

/** Used (ms) if Lambda reports no time left, which is wrong at an invocation's start: the 5 s that Cognito waits. */
const FALLBACK_MILLISECONDS = 5000;

/**
 * The time left of an invocation that begins now. Lambda computes it from the wall clock, which may be wrong in a
 * container (for example after a freeze) or be corrected during the invocation. So this function uses Lambda's value
 * once, and then measures the time by the monotonic clock, which cannot be set.
 * @param reportedMilliseconds the time left that Lambda reports
 * @param longest upper limit (ms)
 */
export function remainingTimeOf(reportedMilliseconds: number, longest: number): RemainingTime {
  const allotted =
    reportedMilliseconds > 0 ? Math.min(reportedMilliseconds, longest) : Math.min(FALLBACK_MILLISECONDS, longest);
  const end = performance.now() + allotted;
  return () => end - performance.now();
}

/** How long (ms) Cognito waits for a trigger, whatever the function's own time-out is. */
const TRIGGER_MILLISECONDS = 5000;
/**
 * A container that has run for longer (ms) at its first invocation was not started for it: Cognito did not wait for it.
 */
const LONGEST_START_MILLISECONDS = 3000;

/**
 * The time left of a trigger's invocations in one container. For the first invocation Cognito has waited since the
 * container's start, which Lambda's own time-out does not include.
 * @param uptime how long the container has been running (ms)
 */
export function triggerTimes(uptime: () => number): (reportedMilliseconds: number) => RemainingTime {
  let first = true;
  return (reportedMilliseconds) => {
    const start = first ? uptime() : 0;
    first = false;
    return remainingTimeOf(
      reportedMilliseconds,
      TRIGGER_MILLISECONDS - (start < LONGEST_START_MILLISECONDS ? start : 0),
    );
  };
}

/** A step did not finish in time. */
export class TimedOut extends Error {
  override readonly name = "TimedOut";
  readonly code = "TIMED_OUT";

  constructor() {
    super("The step did not finish in time");
  }
}

/**
 * The promise's value, or TimedOut once the time is up. This does not end the work; `giveUp` may do that.
 * @param milliseconds from now; even with 0 or less, a promise that is already settled wins
 * @throws TimedOut
 */
export function withTimeout<T>(milliseconds: number, promise: Promise<T>, giveUp?: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      giveUp?.();
      reject(new TimedOut());
    }, milliseconds);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Waits so many milliseconds. */
export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
