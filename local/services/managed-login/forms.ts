import { readBody } from "../../../cli/http";
import { type Authorization, isRefusedRequest, readAuthorization } from "./authorization";
import { type BrowserSession, csrfMatches, inTurn, type Refusal, sessionIds } from "./browserSessions";
import { type Exchange, pendingOf, type Visit } from "./context";
import { issueOf } from "./formIssues";
import { backToApp, type Interaction, interactions, isRefused } from "./interactions";
import { ErrorPage, type Link, Redirect, type Reply } from "./replies";
import { formKey } from "./submittedForms";

/** The largest form, in bytes. */
export const longestForm = 32 * 1024;
/** The longest value that the API accepts, and so the longest that a page shows again. */
const longestValue = 2048;

/** One submitted form. */
interface Submission {
  readonly exchange: Exchange;
  readonly authorization: Authorization;
  readonly interaction: Interaction;
  readonly fields: URLSearchParams;
  /** The same for the same form, submitted twice. */
  readonly key: string;
  /** The browser's session; undefined without a valid cookie. */
  readonly session: BrowserSession | undefined;
}

type FormStep = (submission: Submission) => Reply | undefined | Promise<Reply | undefined>;

/** The steps of every form, in this order; the first reply ends them. */
const steps: readonly FormStep[] = [
  refuseOtherSites,
  repeatAcceptedForm,
  refuseOtherSessions,
  requirePerson,
  submitToInteraction,
];

/**
 * Handles a submitted form. Forms of one browser wait for each other.
 * @throws BodyTooLong
 */
export async function submitForm(exchange: Exchange): Promise<Reply> {
  const { context, request, url } = exchange;
  const body = (await readBody(request, longestForm)).toString();
  const authorization = readAuthorization(context.cognito, url.searchParams);
  if (isRefusedRequest(authorization)) return authorization;
  const submission: Submission = {
    exchange,
    authorization,
    interaction: interactions[url.pathname]!,
    fields: new URLSearchParams(body),
    key: formKey(url.pathname + url.search, body),
    session: context.sessions.find(request),
  };
  const { session } = submission;
  return session ? inTurn(session, () => runSteps(submission)) : runSteps(submission);
}

async function runSteps(submission: Submission): Promise<Reply> {
  for (const step of steps) {
    const reply = await step(submission);
    if (reply) return reply;
  }
  throw new Error("The last step of a form has no reply.");
}

function refuseOtherSites({ exchange, authorization }: Submission): Reply | undefined {
  const { self, request } = exchange;
  const { origin = self, "sec-fetch-site": site = "same-origin" } = request.headers;
  const isOurs = [self, self.replace("127.0.0.1", "localhost")].includes(origin) && site === "same-origin";
  return isOurs ? undefined : refusedForm(authorization, undefined);
}

/** Gives a form that was accepted a moment ago the same reply again. */
function repeatAcceptedForm({ exchange, authorization, key }: Submission): Reply | undefined {
  const { context, request } = exchange;
  const accepted = context.forms.find(key, sessionIds(request));
  if (!accepted || !context.sessions.isOpen(accepted.session)) return undefined;
  const { before, session, url, messages } = accepted;
  Object.assign(session, messages);
  exchange.setCookie(session);
  if (session.id === before) return new Redirect(url);
  // To the app with a new code: the app may have used the first one, and a second use of it would end the session.
  return backToApp(context, authorization, session.signedIn!.username, session.signedIn!.authTime);
}

function refuseOtherSessions({ exchange, authorization, fields, session }: Submission): Reply | undefined {
  const isOpen = session !== undefined && exchange.context.sessions.isOpen(session);
  return isOpen && csrfMatches(session, fields.get("_csrf")) ? undefined : refusedForm(authorization, session);
}

function requirePerson({ exchange: { context }, authorization, interaction, session }: Submission): Reply | undefined {
  return missingPerson(interaction, { context, authorization, session: session! });
}

/** A page that needs to know the person sends a browser without one to the sign-in. */
export function missingPerson(interaction: Interaction, visit: Visit): Redirect | undefined {
  const isMissing = interaction.needsPending && !pendingOf(visit);
  return isMissing ? new Redirect(`/login?${visit.authorization.query}`) : undefined;
}

/** Does what the form is for. Mistakes are kept in the session, until the browser asks for the form's page. */
async function submitToInteraction(submission: Submission): Promise<Reply> {
  const { exchange, authorization, interaction, fields, key } = submission;
  const { context, url } = exchange;
  const session = submission.session!;
  const visit: Visit = { context, authorization, session };
  session.username = fields.get("username")?.slice(0, longestValue) ?? session.username;
  const outcome = await interaction.submit(visit, fields).catch((error: unknown) => {
    if (!isRefused(error)) throw error;
    return [issueOf(error, authorization.client.pool.settings, fields)];
  });
  if (visit.session !== session) exchange.setCookie(visit.session);
  if (outcome instanceof Redirect) {
    const { notice, refusal } = visit.session;
    const messages = { notice, refusal };
    context.forms.remember(key, { before: session.id, session: visit.session, url: outcome.url, messages });
    return outcome;
  }
  const path = interaction.page ?? url.pathname;
  session.refusal = { path, issues: outcome, values: shownAgain(fields) };
  return new Redirect(`${path}?${authorization.query}`);
}

/** The reply to a form whose CSRF token is not the one of the browser's session. */
function refusedForm(authorization: Authorization, session: BrowserSession | undefined): ErrorPage {
  const again = backToSignIn(authorization);
  if (session?.signedIn?.pool !== authorization.client.pool) {
    const text = "This form was not sent from these pages, or they were open for too long. Begin again.";
    return new ErrorPage(403, "Something went wrong", text, [again]);
  }
  const text = "This browser signed in after the page was opened, perhaps in another tab.";
  const onward = { url: `/oauth2/authorize?${authorization.query}`, text: "Continue to the app" };
  return new ErrorPage(403, "You are signed in already", text, [onward, again]);
}

export function backToSignIn({ query }: Authorization): Link {
  return { url: `/login?${query}`, text: "Back to sign in" };
}

/** The values that the page of a refused form shows again: no passwords. */
function shownAgain(form: URLSearchParams): Refusal["values"] {
  const shown = [...form].filter(([name]) => /^(username|code|attribute\..{1,50})$/.test(name));
  return Object.fromEntries(shown.map(([name, value]) => [name, value.slice(0, longestValue)]));
}
