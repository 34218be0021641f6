import { registrationErrorOf } from "../shared/errors";
import { actionFor, traceOf, type User, userOf } from "../shared/event";
import { type Log, lineOf, logged } from "../shared/log";
import { type Invocation, type RemainingTime, remainingTimeOf, triggerTimes } from "../shared/time";
import { isBatch, registerBatch } from "./batch";
import { RecentlySeen } from "./recentlySeen";
import type { Users } from "./users";

/** No function of Lambda's has more time (ms). */
const BATCH_MILLISECONDS = 900_000;
/** Kept in hand (ms) so that the answer is under way before Lambda ends the invocation. */
const RESERVE_MILLISECONDS = 300;
/** A sign-in or password reset waits at most so long (ms) for a row that should have been there before. */
const CATCH_UP_MILLISECONDS = 1000;
/** So many users are remembered to have a row; about 100 bytes each. */
const REMEMBERED_USERS = 5000;

/** What the function needs from outside. */
export interface Dependencies {
  readonly users: Pick<Users, "register" | "catchUp">;
  readonly log: Log;
  /** How long the container has been running (ms). */
  readonly uptime: () => number;
}

/**
 * The function: takes an event of a user pool's trigger, and returns the same event, as Cognito requires; or a batch of
 * messages, and returns which of them are to come again.
 */
export type Handler = (event: unknown, invocation: Invocation) => Promise<unknown>;

/**
 * Registers confirmed users in MySQL.
 *
 * After a confirmed sign-up the row is made, or the invocation fails with a RegistrationError, whose message the
 * person sees; Cognito calls again, twice at most, only where no answer came. After a sign-in or a password reset a row
 * that is missing is made, too, which repairs what was missed; but no fault there is the person's, so it is only logged.
 */
export function handlerOf({ users, log, uptime }: Dependencies): Handler {
  const registered = new RecentlySeen(REMEMBERED_USERS);
  const triggerTime = triggerTimes(uptime);

  const catchUp = async (event: unknown, left: RemainingTime): Promise<void> => {
    const user = userOf(event);
    if (registered.has(user.sub)) {
      return;
    }
    const made = await users.catchUp(user, left);
    registered.add(user.sub);
    if (made) {
      log("info", { code: "CAUGHT_UP", ...traceOf(event) });
    }
  };

  const register = async (user: User, left: RemainingTime): Promise<void> => {
    await users.register(user, left);
    registered.add(user.sub);
  };

  return async (event, invocation) => {
    const batch = isBatch(event);
    const reportedMilliseconds = invocation.getRemainingTimeInMillis();
    const remaining = batch
      ? remainingTimeOf(reportedMilliseconds, BATCH_MILLISECONDS)
      : triggerTime(reportedMilliseconds);
    const allotted = remaining();
    const leftBut =
      (reserve: number): RemainingTime =>
      () =>
        remaining() - reserve;
    if (batch) {
      return registerBatch(event, register, leftBut(RESERVE_MILLISECONDS), log);
    }
    let mayFail = true;
    try {
      if (actionFor(event) === "register") {
        await register(userOf(event), leftBut(RESERVE_MILLISECONDS));
      } else {
        mayFail = false;
        await catchUp(event, leftBut(Math.max(RESERVE_MILLISECONDS, allotted - CATCH_UP_MILLISECONDS)));
      }
    } catch (error) {
      const fault = registrationErrorOf(error);
      log(mayFail ? "error" : "warn", { ...lineOf(fault), ...traceOf(event) });
      if (mayFail) {
        throw logged(fault);
      }
    }
    return event;
  };
}
