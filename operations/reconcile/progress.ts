import type { Tally } from "./reconcile";

/** How often the line is written (ms): on a terminal it replaces the last one, elsewhere it is a new line. */
const TERMINAL_MILLISECONDS = 200;
const LOG_MILLISECONDS = 10_000;

/** Where progress is shown: standard error, so that standard output holds the result only. */
export type Stream = Pick<NodeJS.WriteStream, "write"> & { readonly isTTY?: boolean };

/** Prints a progress line about a tally that `reconcile` updates. */
export class Progress {
  readonly #tally: Tally;
  readonly #stream: Stream;
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout;
  #drawn = false;

  constructor(tally: Tally, stream: Stream) {
    this.#tally = tally;
    this.#stream = stream;
    this.#timer = setInterval(() => this.#draw(), stream.isTTY ? TERMINAL_MILLISECONDS : LOG_MILLISECONDS);
  }

  /** Removes the line from the terminal, so that another line can be printed. */
  clear(): void {
    if (this.#drawn && this.#stream.isTTY) {
      this.#stream.write("\r\u001b[K");
      this.#drawn = false;
    }
  }

  end(): void {
    clearInterval(this.#timer);
    this.clear();
  }

  #draw(): void {
    this.clear();
    const { accounts, registered, conflicts, unusable } = this.#tally;
    const rate = Math.round((1000 * accounts) / (performance.now() - this.#startedAt));
    const [all, each] = [accounts, rate].map((count) => count.toLocaleString("en"));
    const found = `${registered} without a row, ${conflicts + unusable} to decide`;
    this.#stream.write(`${all} accounts, ${found}, ${each} a second${this.#stream.isTTY ? "" : "\n"}`);
    this.#drawn = true;
  }
}
