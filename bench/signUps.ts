import { randomUUID } from "node:crypto";
import { type Figure, figureOf } from "./figures";

/** What the ledger invokes: an event's JSON text in, the outcome out. */
export type Invoke = (event: string) => Promise<{ readonly payload: string; readonly failed: boolean }>;

const head = { version: "1", region: "us-east-1", userPoolId: "us-east-1_bench", callerContext: {}, response: {} };

/** An event of Cognito's for a user. */
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
 * @returns how long it took (ms)
 * @throws Error where it failed
 */
export async function timed(invoke: Invoke, event: string): Promise<number> {
  const begun = performance.now();
  const { failed, payload } = await invoke(event);
  const took = performance.now() - begun;
  if (failed) throw new Error(`An invocation failed: ${payload}`);
  return took;
}

/** Keeps count of the sign-ups that were answered well, so that each can be asked for afterwards. */
export class SignUps {
  #made = 0;

  get made(): number {
    return this.#made;
  }

  /**
   * Signs a new user up.
   * @returns how long it took (ms)
   * @throws Error where the invocation failed
   */
  async signUp(invoke: Invoke, sub: string = randomUUID()): Promise<number> {
    const took = await timed(invoke, eventOf("PostConfirmation_ConfirmSignUp", sub));
    this.#made++;
    return took;
  }

  /** Notes rows that were made in another way. */
  add(rows: number): void {
    this.#made += rows;
  }

  /**
   * The figure that all others rest on: 0, since anything else fails the run.
   * @throws Error where the table has another number of rows than there were sign-ups
   */
  async check(countRows: () => Promise<number>): Promise<Figure> {
    const found = await countRows();
    if (found !== this.#made) {
      throw new Error(`${this.#made} sign-ups left ${found} rows: what was measured did not do its work.`);
    }
    const made = this.#made.toLocaleString("en");
    return figureOf("sign-ups of this run without a row of their own", 0, `${made} rows, as many as there should be`);
  }
}
