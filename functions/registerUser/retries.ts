import { type RegistrationError, Unexpected } from "../shared/errors";
import { codeOf } from "../shared/loggedError";
import { TimedOut } from "../shared/time";
import { DatabaseAccessDenied, DatabaseRefused, DatabaseUnavailable, DatabaseUntrusted } from "./errors";
import { type RetryPolicy, retryPolicyOf } from "./retryPolicy";

/** The first pause before another attempt (ms); each one is twice as long, up to the second figure. */
const PAUSE_MILLISECONDS = { first: 20, longest: 400 };
/**
 * Pauses (ms) before the secret is read again because MySQL refuses its user or password. Secrets Manager is eventually
 * consistent: just after a rotation it may still return the old secret.
 */
const SECRET_PAUSES = [0, 250, 500];

/** What to do after a failed attempt. */
export interface Decision {
  readonly policy: RetryPolicy;
  /** Pause before the next attempt, in ms; undefined if no further attempt can succeed. */
  readonly wait: number | undefined;
}

/** The failed attempts of one invocation: decides about the next attempt, and which error to report if there is none. */
export class Retries {
  #pause = PAUSE_MILLISECONDS.first;
  #secretReads = 0;
  #policy: RetryPolicy = "none";
  #cause: unknown;

  /**
   * @param error of the driver or of the time limit
   * @param connected whether this attempt opened a connection before it failed, so that earlier errors no longer count
   */
  decide(error: unknown, connected: boolean): Decision {
    const earlier = connected ? undefined : this.#cause;
    // A time-out does not name a cause; the error before it does.
    this.#cause = error instanceof TimedOut ? (earlier ?? error) : error;
    this.#policy = retryPolicyOf(error);
    return { policy: this.#policy, wait: this.#wait(this.#policy) };
  }

  /** The last failed attempt as an error for the log and the person. */
  error(): RegistrationError {
    switch (this.#policy) {
      case "repeat":
      case "reconnect":
      case "relocate":
        return new DatabaseUnavailable(this.#cause);
      case "readSecret":
        return new DatabaseAccessDenied(this.#cause);
      case "distrust":
        return new DatabaseUntrusted(this.#cause);
      case "none":
        // Every error of the driver has a code; an error without one is a defect of this function.
        return codeOf(this.#cause) ? new DatabaseRefused(this.#cause) : new Unexpected(this.#cause);
    }
  }

  #wait(policy: RetryPolicy): number | undefined {
    switch (policy) {
      case "repeat":
      case "reconnect":
      case "relocate": {
        const wait = this.#pause * (0.5 + Math.random() / 2);
        this.#pause = Math.min(2 * this.#pause, PAUSE_MILLISECONDS.longest);
        return wait;
      }
      case "readSecret":
        return SECRET_PAUSES[this.#secretReads++];
      case "distrust":
      case "none":
        return undefined;
    }
  }
}
