import { createHash } from "node:crypto";
import type { BrowserSession } from "./browserSessions";

/** The answer to an accepted form. */
export interface Answer {
  /** The id of the session that sent the form. */
  readonly before: string;
  /** The session after it: a new one if the form signed the person in. */
  readonly session: BrowserSession;
  readonly url: string;
  /** The messages on the page at `url`. */
  readonly messages: Pick<BrowserSession, "notice" | "refusal">;
}

/** How long a repeated form counts as the same click. */
const memoryInMs = 5_000;

/**
 * The forms that were accepted a moment ago. These pages have no scripts that could disable a button: a second click
 * sends the form again, and the browser shows the answer to the second request. That answer must be the same as the
 * first one.
 */
export class SubmittedForms {
  readonly #answers = new Map<string, Answer & { readonly at: number }>();

  /** @param now ms since 1970 */
  constructor(readonly now: () => number) {}

  /** @param key the form's `formKey` */
  remember(key: string, answer: Answer): void {
    // Entries are in order of creation.
    for (const [old, { at }] of this.#answers) {
      if (at + memoryInMs > this.now()) break;
      this.#answers.delete(old);
    }
    this.#answers.set(key, { ...answer, at: this.now() });
  }

  /** @param sessionIds the session ids in the form's cookies: of the session that sent it, or of the one after */
  find(key: string, sessionIds: readonly string[]): Answer | undefined {
    const answer = this.#answers.get(key);
    if (!answer || answer.at + memoryInMs <= this.now()) return undefined;
    return sessionIds.includes(answer.before) || sessionIds.includes(answer.session.id) ? answer : undefined;
  }
}

/** Identifies a form: the hash covers all entered values and the CSRF token, which differs between sessions. */
export function formKey(target: string, body: string): string {
  return createHash("sha256").update(`${target}\n${body}`).digest("base64url");
}
