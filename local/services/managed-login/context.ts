import type { IncomingMessage } from "node:http";
import type { CognitoState } from "../cognito/state";
import type { Authorization } from "./authorization";
import type { AuthorizationCodes } from "./authorizationCodes";
import type { BrowserSession, BrowserSessions, Pending } from "./browserSessions";
import type { SubmittedForms } from "./submittedForms";

/** What all pages share. */
export interface LoginContext {
  readonly cognito: CognitoState;
  readonly sessions: BrowserSessions;
  readonly codes: AuthorizationCodes;
  readonly forms: SubmittedForms;
  /** The page of this machine that lists the mails. */
  readonly mailboxUrl: string;
}

/** One request to the pages. */
export interface Exchange {
  readonly context: LoginContext;
  /** The pages' own origin. */
  readonly self: string;
  readonly url: URL;
  readonly request: IncomingMessage;
  /** Sends the session's cookie with the reply; undefined deletes the cookie. */
  setCookie(session: BrowserSession | undefined): void;
}

/** One browser at one page of one authorization request. */
export interface Visit {
  readonly context: LoginContext;
  readonly authorization: Authorization;
  /** Replaced by a new session, with a new cookie, at the sign-in. */
  session: BrowserSession;
}

/** The person that an earlier page of this user pool was about. */
export function pendingOf({ session, authorization }: Visit): Pending | undefined {
  return session.pending?.pool === authorization.client.pool ? session.pending : undefined;
}
