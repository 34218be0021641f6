import { createHash } from "node:crypto";
import type { BrowserSession } from "./browserSessions";

/** What an accepted form led to. */
export interface Answer {
  /** The visit that sent the form. */
  readonly before: string;
  /** The visit after it: another one where the person was signed in. */
  readonly visit: BrowserSession;
  readonly url: string;
  /** What the page there says. */
  readonly said: Pick<BrowserSession, "notice" | "refusal">;
}

/** How long the same form is taken for the same click. */
const memoryInMs = 5_000;

/**
 * The forms that were accepted a moment ago. These pages have no scripts that could lock a button: a second click sends
 * the form again, and the browser shows what that one is answered. It must be what the first one was.
 */
export class SubmittedForm {
  readonly #answers = new Map<string, Answer & { readonly at: number }>();

  /** @param now ms since 1970 */
  constructor(readonly now: () => number) {}

  /** @param key what `formKey` made of the form */
  remember(key: string, answer: Answer): void {
    // In order of their making.
    for (const [old, { at }] of this.#answers) {
      if (at + memoryInMs > this.now()) break;
      this.#answers.delete(old);
    }
    this.#answers.set(key, { ...answer, at: this.now() });
  }

  /** @param visitIds the ids in the cookies that came with the form: of the visit that sent it, or of the one after */
  find(key: string, visitIds: readonly string[]): Answer | undefined {
    const answer = this.#answers.get(key);
    if (!answer || answer.at + memoryInMs <= this.now()) return undefined;
    return visitIds.includes(answer.before) || visitIds.includes(answer.visit.id) ? answer : undefined;
  }
}

/** Tells a form from every other one: its CSRF token, which is the visit's own, and all that was entered are part of it. */
export function formKey(target: string, body: string): string {
  return createHash("sha256").update(`${target}\n${body}`).digest("base64url");
}
