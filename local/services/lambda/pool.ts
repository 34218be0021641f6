import { AwsError } from "../aws/awsError";
import type { Container, Invocation, Outcome } from "./container";

export interface PoolOptions {
  /** Maximum of simultaneous invocations. */
  readonly concurrency: number;
  /** Whether `concurrency` is the function's reservation; decides the `Reason` of Lambda's throttling error. */
  readonly reserved: boolean;
  /** Milliseconds after which a container without work is ended. */
  readonly idle: number;
  start(): Container;
}

/**
 * The containers of one function: each runs one invocation at a time, a new one is started when all are busy, and the
 * one used last is used next, so that surplus containers become idle and end.
 */
export class Pool {
  readonly #options: PoolOptions;
  readonly #all = new Set<Container>();
  readonly #idle: { container: Container; timer: NodeJS.Timeout }[] = [];
  #busy = 0;
  #closed = false;
  #started = 0;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Containers started so far. */
  get started(): number {
    return this.#started;
  }

  /**
   * Runs one invocation. Calls `onStart` when the function begins; `cold`: a new container was started for it.
   * @throws AwsError TooManyRequestsException if the concurrency is used up.
   */
  async invoke(invocation: Invocation, onStart: (cold: boolean) => void = () => {}): Promise<Outcome> {
    if (this.#closed) throw new AwsError("ServiceException", 500, "The local Lambda service is ending.");
    const { concurrency, reserved } = this.#options;
    if (this.#busy >= concurrency) {
      const Reason = `${reserved ? "ReservedFunction" : ""}ConcurrentInvocationLimitExceeded`;
      throw new AwsError("TooManyRequestsException", 429, "Rate Exceeded.", { Reason, Type: "User" });
    }
    const idle = this.#takeIdle();
    const container = idle ?? this.#start();
    this.#busy++;
    try {
      return await container.invoke(invocation, () => onStart(idle === undefined));
    } finally {
      this.#busy--;
      this.#release(container);
    }
  }

  /** Ends all containers and waits until they are gone; invocations under way fail. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { timer } of this.#idle.splice(0)) clearTimeout(timer);
    const all = [...this.#all];
    for (const container of all) container.kill();
    await Promise.all(all.map((container) => container.ended));
  }

  #start(): Container {
    const container = this.#options.start();
    this.#started++;
    this.#all.add(container);
    void container.ended.then(() => this.#all.delete(container));
    return container;
  }

  #takeIdle(): Container | undefined {
    for (let last = this.#idle.pop(); last; last = this.#idle.pop()) {
      clearTimeout(last.timer);
      if (last.container.alive) return last.container;
    }
    return undefined;
  }

  #release(container: Container): void {
    if (!container.alive || this.#closed) {
      container.kill();
      return;
    }
    const timer = setTimeout(() => container.kill(), this.#options.idle).unref();
    this.#idle.push({ container, timer });
  }
}
