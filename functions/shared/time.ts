/** What the functions use of Lambda's context. */
export interface Invocation {
  getRemainingTimeInMillis(): number;
}

/** How many milliseconds are left; asked again before every step, negative when time is up. */
export type RemainingTime = () => number;

/** Used (ms) when Lambda reports no time left, which cannot be true at an invocation's start: the 5 s that Cognito grants. */
const FALLBACK_MILLISECONDS = 5000;

/**
 * The time left of an invocation that begins now. Lambda computes it from the wall clock, which a container may have
 * wrong (after a freeze, for one) or set right in the middle; so it is asked once, and then counted by the clock that
 * nobody can set.
 * @param reportedMilliseconds what Lambda says is left
 * @param longest there cannot be more (ms)
 */
export function remainingTimeOf(reportedMilliseconds: number, longest: number): RemainingTime {
  const allotted =
    reportedMilliseconds > 0 ? Math.min(reportedMilliseconds, longest) : Math.min(FALLBACK_MILLISECONDS, longest);
  const end = performance.now() + allotted;
  return () => end - performance.now();
}

/** Cognito waits so long (ms) for a trigger, whatever the function's own limit is. */
const TRIGGER_MILLISECONDS = 5000;
/** A container that runs for longer (ms) when its first invocation comes was not started for it: nobody has waited. */
const LONGEST_START_MILLISECONDS = 3000;

/**
 * The time left of a trigger's invocations in one container. For the first one Cognito has waited since the container's
 * start, which Lambda's own limit leaves out.
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

/** A step was not done in its time. */
export class TimedOut extends Error {
  override readonly name = "TimedOut";
  readonly code = "TIMED_OUT";

  constructor() {
    super("The step was not done in its time");
  }
}

/**
 * The promise's value, or a fault once the time is up. The work goes on after that: `giveUp` is there to end it.
 * @param milliseconds from now; the promise is given a chance also when this is 0 or negative
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
