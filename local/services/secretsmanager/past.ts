import type { Input } from "./operations";
import type { Secret } from "./store";

/**
 * Tells how many milliseconds old the state is from which a read is answered.
 * @param operation such as `GetSecretValue`
 */
export type Lag = (operation: string, input: Input) => number;

/**
 * The states that secrets were in before. On AWS a read may be answered from one of them for a moment: what was written
 * is not there for every reader at once.
 */
export class Past {
  readonly #lag: Lag;
  readonly #states = new Map<string, { readonly at: number; readonly secret: Secret }[]>();

  constructor(lag: Lag) {
    this.#lag = lag;
  }

  /** Notes the state that secrets are in from now on. */
  note(secrets: Iterable<Secret>): void {
    for (const secret of secrets) {
      const states = this.#states.get(secret.name) ?? [];
      states.push({ at: performance.now(), secret: structuredClone(secret) });
      this.#states.set(secret.name, states);
    }
  }

  /** The secret as this read is to see it; the oldest known state where it asks for one before that. */
  seen(name: string, operation: string, input: Input): Secret {
    const until = performance.now() - this.#lag(operation, input);
    const states = this.#states.get(name)!;
    return (states.findLast(({ at }) => at <= until) ?? states[0]!).secret;
  }
}
