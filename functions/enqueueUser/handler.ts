import { writeConfirmation } from "../shared/confirmation";
import { registrationErrorOf } from "../shared/errors";
import { actionFor, traceOf, userOf } from "../shared/event";
import { type Log, lineOf, logged } from "../shared/log";
import { type Invocation, triggerTimes } from "../shared/time";
import type { Send } from "./queue";

/** Kept in hand (ms) so that the answer is under way before Lambda ends the invocation. */
const RESERVE_MILLISECONDS = 300;

/** What the function needs from outside. */
export interface Dependencies {
  readonly send: Send;
  readonly log: Log;
  /** The time of the confirmation. */
  readonly now: () => Date;
  /** How long the container has been running (ms). */
  readonly uptime: () => number;
}

/** The function: takes an event of a user pool's trigger, and returns the same event, as Cognito requires. */
export type Handler = (event: unknown, invocation: Invocation) => Promise<unknown>;

/**
 * Puts confirmed users into the queue from which `registerUser` registers them, so that a confirmation does not wait for
 * the database, nor fail with it.
 *
 * The event is checked as `registerUser` checks it, because a person can only be told of a fault now. A password reset
 * is passed on without a message: that user was queued when the sign-up was confirmed.
 * @throws RegistrationError where the user is not in the queue; the next sign-in, or reconcile, then makes the row
 */
export function handlerOf({ send, log, now, uptime }: Dependencies): Handler {
  const triggerTime = triggerTimes(uptime);
  return async (event, invocation) => {
    try {
      if (actionFor(event) === "register") {
        const { triggerSource } = event as { triggerSource: string };
        const text = writeConfirmation(triggerSource, userOf(event), now());
        const left = triggerTime(invocation.getRemainingTimeInMillis())() - RESERVE_MILLISECONDS;
        await send(text, AbortSignal.timeout(Math.max(0, Math.floor(left))));
      }
    } catch (error) {
      const fault = registrationErrorOf(error);
      log("error", { ...lineOf(fault), ...traceOf(event) });
      throw logged(fault);
    }
    return event;
  };
}
