import { registrationErrorOf } from "../shared/errors";
import { actionFor, traceOf, type User, userOf } from "../shared/event";
import { type Log, lineOf, logged } from "../shared/log";
import { type Invocation, type RemainingTime, remainingTimeOf, triggerTimes } from "../shared/time";
import { isBatch, registerBatch } from "./batch";
import { RecentlySeen } from "./recentlySeen";
import type { Users } from "./users";

/** The longest time (ms) that Lambda gives a function. */
const BATCH_MILLISECONDS = 900_000;
/** Time (ms) kept back, so that the function returns before Lambda ends the invocation. */
const RESERVE_MILLISECONDS = 300;
/** A sign-in or password reset waits at most this long (ms) for a missing row. */
const CATCH_UP_MILLISECONDS = 1000;
/** How many users that have a row are remembered; about 100 bytes each. */
const REMEMBERED_USERS = 5000;

/** What the function needs from outside. */
export interface Dependencies {
  readonly users: Pick<Users, "register" | "catchUp">;
  readonly log: Log;
  /** How long the container has been running (ms). */
  readonly uptime: () => number;
}

/**
 * The function. Takes an event of a user pool's trigger, and returns the same event, as Cognito requires; or takes a
 * batch of messages, and returns those that SQS shall deliver again.
 */
export type Handler = (event: unknown, invocation: Invocation) => Promise<unknown>;

/**
 * Registers confirmed users in MySQL.
 *
 * After a confirmed sign-up the invocation makes the row, or fails with a RegistrationError, whose message the person
 * sees. Cognito repeats the call, twice at most, only if it got no answer. After a sign-in or a password reset the
 * invocation makes the row if it is missing. An error is then only logged, because the sign-in must not fail for it.
 */
export function handlerOf({ users, log, uptime }: Dependencies): Handler {
  const registered = new RecentlySeen(REMEMBERED_USERS);
  const triggerTime = triggerTimes(uptime);

  const catchUp = async (event: unknown, left: RemainingTime): Promise<void> => {
    const user = userOf(event);
    if (registered.has(user.sub)) {
      return;
    }
    const wasMissing = await users.catchUp(user, left);
    registered.add(user.sub);
    if (wasMissing) {
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
    const remainingMinus =
      (reserve: number): RemainingTime =>
      () =>
        remaining() - reserve;
    if (batch) {
      return registerBatch(event, register, remainingMinus(RESERVE_MILLISECONDS), log);
    }
    let mayFail = true;
    try {
      if (actionFor(event) === "register") {
        await register(userOf(event), remainingMinus(RESERVE_MILLISECONDS));
      } else {
        mayFail = false;
        await catchUp(event, remainingMinus(Math.max(RESERVE_MILLISECONDS, allotted - CATCH_UP_MILLISECONDS)));
      }
    } catch (error) {
      const registrationError = registrationErrorOf(error);
      log(mayFail ? "error" : "warn", { ...lineOf(registrationError), ...traceOf(event) });
      if (mayFail) {
        throw logged(registrationError);
      }
    }
    return event;
  };
}
