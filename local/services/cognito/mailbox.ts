import { Journal } from "../../lib/journal";

/** A mail that Cognito would have sent. */
export interface Mail {
  readonly to: string;
  readonly subject: string;
  /** The text of the pool's template with the code inserted. */
  readonly body: string;
  /** The confirmation code, or the temporary password of an invitation. */
  readonly code: string;
  /** ISO 8601, UTC. */
  readonly at: string;
}

/** How many mails are kept; older ones are deleted. */
const capacity = 1000;

/** The mails that Cognito would have sent: this machine stores them and sends none. */
export class Mailbox {
  readonly #mails: Journal<Mail>;
  #next = 1;
  #oldest = 1;

  constructor(file: string) {
    this.#mails = new Journal(file);
    for (const key of this.#mails.keys()) this.#next = Number(key) + 1;
    this.#oldest = this.#next - this.#mails.size;
  }

  put(mail: Mail): void {
    this.#mails.set(String(this.#next++), mail);
    if (this.#mails.size > capacity) this.#mails.delete(String(this.#oldest++));
  }

  /** Newest first. */
  list(): Mail[] {
    return [...this.#mails.values()].reverse();
  }
}
