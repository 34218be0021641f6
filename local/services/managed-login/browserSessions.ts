import { randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Pool } from "../cognito/pools";
import type { FormIssue } from "./formIssues";

/** One browser that uses the pages, identified by its cookie. */
export interface BrowserSession {
  readonly id: string;
  /** The CSRF token of every form of this browser. */
  readonly csrf: string;
  /** ms since 1970. */
  readonly expires: number;
  /** The person who confirms an account or chooses a new password. */
  pending?: Pending;
  /** Shown once, on the next page. */
  notice?: string;
  /** Shown once, on the page of the refused form. */
  refusal?: Refusal;
  /** The user name that the person entered last; the pages fill it in. */
  username?: string;
  signedIn?: { readonly pool: Pool; readonly username: string; readonly authTime: number };
  /** Settles when all forms that were received so far are answered. */
  turn?: Promise<void>;
}

/** Why a form was refused. */
export interface Refusal {
  /** The path of the page with the form. */
  readonly path: string;
  readonly issues: readonly FormIssue[];
  /** The entered values, without passwords. */
  readonly values: Readonly<Record<string, string>>;
}

export interface Pending {
  readonly pool: Pool;
  /** As the person entered it. */
  readonly username: string;
  /** Whether the password was entered in this browser: then the confirmation also signs in. */
  readonly knowsPassword: boolean;
  /** Whether a code was mailed just before the page that asks for it; if not, an earlier code may still be valid. */
  readonly codeSent?: boolean;
  /** Proves that the person entered the temporary password. */
  readonly challenge?: string;
}

/** Cognito's managed login keeps a browser signed in for an hour. */
const lifetimeInMs = 3600_000;
const maxSessions = 10_000;
const cookieName = "cognito-local";

/** The sessions of browsers, each valid for an hour; if there are more than 10,000, the oldest are deleted. */
export class BrowserSessions {
  readonly #sessions = new Map<string, BrowserSession>();

  /** @param now ms since 1970 */
  constructor(readonly now: () => number) {}

  find(request: IncomingMessage): BrowserSession | undefined {
    const sessions = sessionIds(request).map((id) => this.#sessions.get(id));
    return sessions.find((session) => session && session.expires > this.now());
  }

  isOpen(session: BrowserSession): boolean {
    return this.#sessions.has(session.id);
  }

  /** Begins a session with a new id, and so with a new cookie. */
  begin(state: Pick<BrowserSession, "signedIn"> = {}): BrowserSession {
    // The oldest are deleted first: a client that opens pages without end must not fill the memory.
    for (const [id, { expires }] of this.#sessions) {
      if (expires > this.now() && this.#sessions.size < maxSessions) break;
      this.#sessions.delete(id);
    }
    const session = { id: token(), csrf: token(), expires: this.now() + lifetimeInMs, ...state };
    this.#sessions.set(session.id, session);
    return session;
  }

  end(session: BrowserSession): void {
    this.#sessions.delete(session.id);
  }
}

/** The session ids in the cookies of a request, including those of ended sessions. */
export function sessionIds(request: IncomingMessage): string[] {
  const cookies = (request.headers.cookie ?? "").split(/; */).map((pair) => pair.split("="));
  return cookies.filter(([name]) => name === cookieName).map(([, id = ""]) => id);
}

/** Runs `work` when all earlier work of the same session is done. */
export function inTurn<T>(session: BrowserSession, work: () => Promise<T>): Promise<T> {
  const done = (session.turn ?? Promise.resolve()).then(work);
  const settled = () => undefined;
  session.turn = done.then(settled, settled);
  return done;
}

/** For `Set-Cookie`. Without `Secure`: these pages use plain HTTP, on this machine only. */
export function cookie(session: BrowserSession | undefined): string {
  const attributes = "Path=/; HttpOnly; SameSite=Lax";
  return session ? `${cookieName}=${session.id}; ${attributes}` : `${cookieName}=; Max-Age=0; ${attributes}`;
}

/** Whether a form has the CSRF token of this browser's session. */
export function csrfMatches(session: BrowserSession | undefined, value: string | null): boolean {
  if (!session || value === null) return false;
  const [expected, given] = [Buffer.from(session.csrf), Buffer.from(value)];
  return expected.length === given.length && timingSafeEqual(expected, given);
}

function token(): string {
  return randomBytes(24).toString("base64url");
}
