import { writeConfirmation } from "../shared/confirmation";
import { registrationErrorOf } from "../shared/errors";
import { actionFor, traceOf, userOf } from "../shared/event";
import { type Log, lineOf, logged } from "../shared/log";
import { type Invocation, triggerTimes } from "../shared/time";
import type { Send } from "./queue";

/** Time (ms) kept back, so that the function returns before Lambda ends the invocation. */
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
 * Puts confirmed users into the queue from which `registerUser` registers them. So a confirmation does not wait for the
 * database, and does not fail when the database is unavailable.
 *
 * The event is checked as in `registerUser`, because this is the last moment at which an error reaches the person. A
 * password reset sends no message: that user was queued when the sign-up was confirmed.
 * @throws RegistrationError if the user was not queued; the next sign-in, or reconcile, then makes the row
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
      const registrationError = registrationErrorOf(error);
      log("error", { ...lineOf(registrationError), ...traceOf(event) });
      throw logged(registrationError);
    }
    return event;
  };
}
