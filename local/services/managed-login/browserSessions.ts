import { randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Pool } from "../cognito/pools";
import type { FormIssue } from "./failures";

/** One browser at the pages, known by its cookie. */
export interface BrowserSession {
  readonly id: string;
  /** Goes along with every form of this browser. */
  readonly csrf: string;
  /** ms since 1970. */
  readonly expires: number;
  /** Who is being confirmed, or chooses a new password. */
  pending?: Pending;
  /** Shown on the next page, once. */
  notice?: string;
  /** Shown on the page of the form that was refused, once. */
  refusal?: Refusal;
  /** What the person last wrote as user name: the pages begin with it. */
  username?: string;
  signedIn?: { readonly pool: Pool; readonly username: string; readonly authTime: number };
  /** Settled when every form that came so far is answered. */
  turn?: Promise<void>;
}

/** Why a form was refused. */
export interface Refusal {
  /** The path of the page with the form. */
  readonly path: string;
  readonly faults: readonly FormIssue[];
  /** What was entered, without passwords. */
  readonly values: Readonly<Record<string, string>>;
}

export interface Pending {
  readonly pool: Pool;
  /** As the person wrote it. */
  readonly username: string;
  /** Whether this browser has shown the password: then confirming signs in. */
  readonly knowsPassword: boolean;
  /** Whether a code was mailed on the way to the page that asks for it; without, an earlier one may be good still. */
  readonly codeSent?: boolean;
  /** Stands for "knew the temporary password". */
  readonly challenge?: string;
}

/** Cognito's managed login keeps a browser signed in for an hour. */
const lifetimeInMs = 3600_000;
const most = 10_000;
const cookieName = "cognito-local";

/** The browsers at the pages, each for an hour; beyond 10,000 the oldest are forgotten. */
export class BrowserSessions {
  readonly #visits = new Map<string, BrowserSession>();

  /** @param now ms since 1970 */
  constructor(readonly now: () => number) {}

  find(request: IncomingMessage): BrowserSession | undefined {
    const visits = visitIds(request).map((id) => this.#visits.get(id));
    return visits.find((visit) => visit && visit.expires > this.now());
  }

  isOpen(visit: BrowserSession): boolean {
    return this.#visits.has(visit.id);
  }

  /** Begins a visit with a new id, and so a new cookie. */
  begin(state: Pick<BrowserSession, "signedIn"> = {}): BrowserSession {
    // The oldest go first: whoever opens pages without end must not fill the memory.
    for (const [id, { expires }] of this.#visits) {
      if (expires > this.now() && this.#visits.size < most) break;
      this.#visits.delete(id);
    }
    const visit = { id: token(), csrf: token(), expires: this.now() + lifetimeInMs, ...state };
    this.#visits.set(visit.id, visit);
    return visit;
  }

  end(visit: BrowserSession): void {
    this.#visits.delete(visit.id);
  }
}

/** The ids that came in the cookies of a request, of visits that are over among them. */
export function visitIds(request: IncomingMessage): string[] {
  const cookies = (request.headers.cookie ?? "").split(/; */).map((pair) => pair.split("="));
  return cookies.filter(([name]) => name === cookieName).map(([, id = ""]) => id);
}

/** Works for one visit, when all that it asked for before is done. */
export function inTurn<T>(visit: BrowserSession, work: () => Promise<T>): Promise<T> {
  const done = (visit.turn ?? Promise.resolve()).then(work);
  const settled = () => undefined;
  visit.turn = done.then(settled, settled);
  return done;
}

/** For `Set-Cookie`. Without `Secure`: these pages speak plain HTTP on this machine only. */
export function cookie(visit: BrowserSession | undefined): string {
  const attributes = "Path=/; HttpOnly; SameSite=Lax";
  return visit ? `${cookieName}=${visit.id}; ${attributes}` : `${cookieName}=; Max-Age=0; ${attributes}`;
}

/** Whether a form came from a page that this browser was given. */
export function csrfMatches(visit: BrowserSession | undefined, value: string | null): boolean {
  if (!visit || value === null) return false;
  const [expected, given] = [Buffer.from(visit.csrf), Buffer.from(value)];
  return expected.length === given.length && timingSafeEqual(expected, given);
}

function token(): string {
  return randomBytes(24).toString("base64url");
}
