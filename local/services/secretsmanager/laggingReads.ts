import type { Input } from "./operations";
import type { Secret } from "./store";

/**
 * Returns how old the state is that a read gets, in milliseconds.
 * @param operation such as `GetSecretValue`
 */
export type Lag = (operation: string, input: Input) => number;

/**
 * Earlier states of the secrets. On AWS, for a moment after a write, a read may return an earlier state: not every
 * reader sees the new value at once.
 */
export class Past {
  readonly #lag: Lag;
  readonly #states = new Map<string, { readonly at: number; readonly secret: Secret }[]>();

  constructor(lag: Lag) {
    this.#lag = lag;
  }

  /** Records the current state of the secrets. */
  note(secrets: Iterable<Secret>): void {
    for (const secret of secrets) {
      const states = this.#states.get(secret.name) ?? [];
      states.push({ at: performance.now(), secret: structuredClone(secret) });
      this.#states.set(secret.name, states);
    }
  }

  /** The state of the secret that this read gets; the oldest recorded one if the lag goes back further. */
  seen(name: string, operation: string, input: Input): Secret {
    const until = performance.now() - this.#lag(operation, input);
    const states = this.#states.get(name)!;
    return (states.findLast(({ at }) => at <= until) ?? states[0]!).secret;
  }
}
