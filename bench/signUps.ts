import { randomUUID } from "node:crypto";
import { type Figure, figureOf } from "./figures";

/** Invokes a function with an event's JSON text. */
export type Invoke = (event: string) => Promise<{ readonly payload: string; readonly failed: boolean }>;

const head = { version: "1", region: "us-east-1", userPoolId: "us-east-1_bench", callerContext: {}, response: {} };

/** The event of a Cognito trigger for a user. */
export function eventOf(triggerSource: string, sub: string): string {
  const userAttributes = {
    sub,
    email: `${sub}@example.com`,
    email_verified: "true",
    "cognito:user_status": "CONFIRMED",
  };
  return JSON.stringify({ ...head, triggerSource, userName: sub, request: { userAttributes } });
}

/**
 * One invocation.
 * @returns its duration (ms)
 * @throws Error where it failed
 */
export async function timed(invoke: Invoke, event: string): Promise<number> {
  const startedAt = performance.now();
  const { failed, payload } = await invoke(event);
  const duration = performance.now() - startedAt;
  if (failed) throw new Error(`An invocation failed: ${payload}`);
  return duration;
}

/** Counts the sign-ups that succeeded, so that `check` can compare their number with the rows. */
export class SignUps {
  #made = 0;

  get made(): number {
    return this.#made;
  }

  /**
   * Signs a new user up.
   * @returns the duration of the invocation (ms)
   * @throws Error where the invocation failed
   */
  async signUp(invoke: Invoke, sub: string = randomUUID()): Promise<number> {
    const duration = await timed(invoke, eventOf("PostConfirmation_ConfirmSignUp", sub));
    this.#made++;
    return duration;
  }

  /** Adds rows that were created in another way. */
  add(rows: number): void {
    this.#made += rows;
  }

  /**
   * The figure on which all others depend. It is 0; any other result fails the run.
   * @throws Error where the table has another number of rows than there were sign-ups
   */
  async check(countRows: () => Promise<number>): Promise<Figure> {
    const found = await countRows();
    if (found !== this.#made) {
      throw new Error(`${this.#made} sign-ups left ${found} rows: the measured function did not do its work.`);
    }
    const made = this.#made.toLocaleString("en");
    return figureOf("sign-ups of this run without a row of their own", 0, `${made} rows, as many as there should be`);
  }
}
