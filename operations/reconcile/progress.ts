import type { Tally } from "./reconcile";

/** How often the line is written (ms): on a terminal over the last one, elsewhere below it. */
const TERMINAL_MILLISECONDS = 200;
const LOG_MILLISECONDS = 10_000;

/** Where progress is shown: standard error, so that standard output holds the result only. */
export type Stream = Pick<NodeJS.WriteStream, "write"> & { readonly isTTY?: boolean };

/** A line about a tally that is counted up by somebody else. */
export class Progress {
  readonly #tally: Tally;
  readonly #stream: Stream;
  readonly #begun = performance.now();
  readonly #timer: NodeJS.Timeout;
  #drawn = false;

  constructor(tally: Tally, stream: Stream) {
    this.#tally = tally;
    this.#stream = stream;
    this.#timer = setInterval(() => this.#draw(), stream.isTTY ? TERMINAL_MILLISECONDS : LOG_MILLISECONDS);
  }

  /** Makes place for another line on the same terminal. */
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
    const rate = Math.round((1000 * accounts) / (performance.now() - this.#begun));
    const [all, each] = [accounts, rate].map((count) => count.toLocaleString("en"));
    const found = `${registered} without a row, ${conflicts + unusable} to decide`;
    this.#stream.write(`${all} accounts, ${found}, ${each} a second${this.#stream.isTTY ? "" : "\n"}`);
    this.#drawn = true;
  }
}
