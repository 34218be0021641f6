import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { BodyTooLong, type Refusal as HttpRefusal, readBody, sendJson } from "../../../cli/http";
import { type Authorization, availableClient, readAuthorization, single, withParameters } from "./authorization";
import { type BrowserSession, cookie, csrfMatches, inTurn, type Refusal, visitIds } from "./browserSessions";
import { faultsOf, OAuthError, PageError, Redirect, type Way } from "./failures";
import type { Html } from "./html";
import { backToApp, type Interaction, interactions, type LoginContext, pendingOf, type Step } from "./interactions";
import { errorPage } from "./pages";
import { type Answer, formKey } from "./submittedForm";
import * as tokenEndpoints from "./tokenEndpoints";

const style = readFileSync(join(__dirname, "style.css"));
const longestForm = 32 * 1024;
const sentElsewhere = "This form was not sent from these pages, or they were open for too long. Begin again.";
/** Longest value that the API takes, and so that is shown again. */
const longestValue = 2048;

/** As Cognito has it: scripts of any page may call these. */
const anyOrigin = { "access-control-allow-origin": "*", "cache-control": "no-store", pragma: "no-cache" };
const preflight = {
  ...anyOrigin,
  "access-control-allow-methods": "GET, POST, OPTIONS",
  "access-control-allow-headers": "Authorization, Content-Type",
  "access-control-max-age": "1728000",
};

/** A request that the pages do not even read. */
export const refusal: HttpRefusal = (_, message) => ({
  type: "text/html; charset=utf-8",
  text: errorPage("Something went wrong", message).text,
});

/**
 * Answers one request to the login pages.
 * @param self the pages' own URL
 */
export async function serve(context: LoginContext, self: string, request: IncomingMessage, response: ServerResponse) {
  const target = request.url ?? "/";
  const url = new URL(URL.canParse(target, self) ? target : "/", self);
  try {
    if (url.pathname.startsWith("/oauth2/") && url.pathname !== "/oauth2/authorize") {
      await answerClient(context, url, request, response);
    } else if (request.method === "POST" && Object.hasOwn(interactions, url.pathname)) {
      await submitForm(context, self, url, request, response);
    } else if (request.method === "GET" || request.method === "HEAD") {
      answerBrowser(context, url, request, response);
    } else {
      throw new PageError(405, "Something went wrong", "This method is not allowed here.");
    }
  } catch (error) {
    if (error instanceof Redirect) response.writeHead(request.method === "POST" ? 303 : 302, headersTo(error)).end();
    else if (error instanceof PageError) {
      sendPage(response, error.status, errorPage(error.title, error.message, error.ways));
    } else if (error instanceof BodyTooLong) {
      sendPage(response, 413, errorPage("Something went wrong", `A form may have ${longestForm} bytes.`));
    } else throw error;
  }
}

function answerBrowser(context: LoginContext, url: URL, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = url;
  if (pathname === "/style.css") {
    response.writeHead(200, { "content-type": "text/css; charset=utf-8", "cache-control": "max-age=3600" }).end(style);
  } else if (pathname === "/logout") {
    logOut(context, searchParams, request, response);
  } else if (pathname === "/oauth2/authorize") {
    authorize(context, readAuthorization(context.cognito, searchParams), request);
  } else if (Object.hasOwn(interactions, pathname)) {
    const authorization = readAuthorization(context.cognito, searchParams);
    const visit = context.visits.find(request) ?? context.visits.begin();
    const step: Step = { context, authorization, visit };
    const interaction = interactions[pathname]!;
    if (interaction.needsPending && !pendingOf(step)) throw new Redirect(`/login?${authorization.query}`);
    if (pathname === "/signup" && authorization.client.pool.settings.adminCreateOnly) {
      const text = "Only an administrator can create accounts here.";
      throw new PageError(403, "Something went wrong", text, [backToSignIn(authorization)]);
    }
    show(interaction, step, pathname, response);
  } else {
    throw new PageError(404, "Page not found", "There is no such page.");
  }
}

/** @see https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html */
function authorize(context: LoginContext, authorization: Authorization, request: IncomingMessage): never {
  const { client, prompt, redirectUri, state, query } = authorization;
  const signedIn = context.visits.find(request)?.signedIn;
  const user = signedIn?.pool === client.pool ? client.pool.users.find(signedIn.username) : undefined;
  if (user?.enabled && prompt !== "login") throw backToApp(context, authorization, user.username, signedIn!.authTime);
  if (prompt === "none") throw new Redirect(withParameters(redirectUri, { error: "login_required", state }));
  throw new Redirect(`/login?${query}`);
}

/** @see https://docs.aws.amazon.com/cognito/latest/developerguide/logout-endpoint.html */
function logOut(
  context: LoginContext,
  search: URLSearchParams,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const client = availableClient(context.cognito, single(search, "client_id"));
  const target = single(search, "logout_uri");
  const registered = target !== undefined && client.settings.oauth.signOutUrls.includes(target);
  if (target !== undefined && !registered) {
    throw new PageError(400, "Something went wrong", "redirect_mismatch: logout_uri is no sign-out URL of this app.");
  }
  // Without logout_uri the person signs in again: the request must then be a whole authorization request.
  const to = registered
    ? withParameters(target, { state: single(search, "state") })
    : `/login?${readAuthorization(context.cognito, search).query}`;
  const visit = context.visits.find(request);
  if (visit) context.visits.end(visit);
  response.setHeader("set-cookie", cookie(undefined));
  throw new Redirect(to);
}

async function submitForm(
  context: LoginContext,
  self: string,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
) {
  const body = (await readBody(request, longestForm)).toString();
  const authorization = readAuthorization(context.cognito, url.searchParams);
  const { origin = self, "sec-fetch-site": site = "same-origin" } = request.headers;
  const ours = [self, self.replace("127.0.0.1", "localhost")].includes(origin) && site === "same-origin";
  if (!ours) throw refusedForm(authorization, undefined);
  const visit = context.visits.find(request);
  const form = { path: url.pathname, body: new URLSearchParams(body), key: formKey(url.pathname + url.search, body) };
  const work = async () => {
    const answer = context.answers.find(form.key, visitIds(request));
    if (answer && context.visits.isOpen(answer.visit)) repeat(context, authorization, answer, response);
    if (!visit || !context.visits.isOpen(visit) || !csrfMatches(visit, form.body.get("_csrf"))) {
      throw refusedForm(authorization, visit);
    }
    await perform({ context, authorization, visit }, form, response);
  };
  await (visit ? inTurn(visit, work) : work());
}

/** A form of these pages. */
interface Form {
  readonly path: string;
  readonly body: URLSearchParams;
  readonly key: string;
}

/** Does what a form asks for; what its page has to say is kept for when the browser asks for that page. */
async function perform(step: Step, form: Form, response: ServerResponse): Promise<never> {
  const { context, authorization, visit } = step;
  const interaction = interactions[form.path]!;
  if (interaction.needsPending && !pendingOf(step)) throw new Redirect(`/login?${authorization.query}`);
  visit.username = form.body.get("username")?.slice(0, longestValue) ?? visit.username;
  try {
    return await interaction.submit(step, form.body);
  } catch (error) {
    if (step.visit !== visit) response.setHeader("set-cookie", cookie(step.visit));
    if (error instanceof Redirect) {
      const { notice, refusal } = step.visit;
      const answer = { before: visit.id, visit: step.visit, url: error.url, said: { notice, refusal } };
      context.answers.remember(form.key, answer);
      throw error;
    }
    const faults = faultsOf(error, authorization.client.pool.settings, form.body);
    if (!faults) throw error;
    const path = interaction.page ?? form.path;
    visit.refusal = { path, faults, values: shownAgain(form.body) };
    throw new Redirect(`${path}?${authorization.query}`);
  }
}

/** Answers a form that was accepted a moment ago as it was answered then. */
function repeat(context: LoginContext, authorization: Authorization, answer: Answer, response: ServerResponse): never {
  const { before, visit, url, said } = answer;
  Object.assign(visit, said);
  response.setHeader("set-cookie", cookie(visit));
  // To the app with another code: it may have used the first one by now, and a second use would close what that opened.
  if (visit.id === before) throw new Redirect(url);
  throw backToApp(context, authorization, visit.signedIn!.username, visit.signedIn!.authTime);
}

/** A form that does nothing: its CSRF token is not the one of this browser's visit. */
function refusedForm(authorization: Authorization, visit: BrowserSession | undefined): PageError {
  const again = backToSignIn(authorization);
  if (visit?.signedIn?.pool !== authorization.client.pool) {
    return new PageError(403, "Something went wrong", sentElsewhere, [again]);
  }
  const text = "This browser signed in after the page was opened, perhaps in another tab.";
  const onward = { url: `/oauth2/authorize?${authorization.query}`, text: "Continue to the app" };
  return new PageError(403, "You are signed in already", text, [onward, again]);
}

function backToSignIn({ query }: Authorization): Way {
  return { url: `/login?${query}`, text: "Back to sign in" };
}

/** What a refused form's page shows again: no passwords. */
function shownAgain(form: URLSearchParams): Refusal["values"] {
  const shown = [...form].filter(([name]) => /^(username|code|attribute\..{1,50})$/.test(name));
  return Object.fromEntries(shown.map(([name, value]) => [name, value.slice(0, longestValue)]));
}

function show(interaction: Interaction, step: Step, path: string, response: ServerResponse): void {
  const { authorization, visit, context } = step;
  const { notice, refusal } = visit;
  visit.notice = undefined;
  visit.refusal = undefined;
  response.setHeader("set-cookie", cookie(visit));
  // The form's answer leads on to the app, and browsers hold that against form-action too.
  const { origin, protocol } = new URL(authorization.redirectUri);
  const app = origin === "null" ? protocol : origin;
  const page = interaction.show({
    authorization,
    visit,
    notice,
    refusal: refusal?.path === path ? refusal : undefined,
    pending: pendingOf(step),
    mailboxUrl: context.mailboxUrl,
  });
  sendPage(response, 200, page, `'self' ${app}`);
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  return new URLSearchParams((await readBody(request, longestForm)).toString());
}

/** The endpoints that apps call, not people: JSON, for scripts of any page. */
async function answerClient(context: LoginContext, url: URL, request: IncomingMessage, response: ServerResponse) {
  const { headers, method } = request;
  if (method === "OPTIONS") {
    response.writeHead(200, preflight).end();
    return;
  }
  try {
    if (url.pathname === "/oauth2/userInfo" && (method === "GET" || method === "POST")) {
      sendJson(response, 200, tokenEndpoints.userInfo(context, headers), anyOrigin);
      return;
    }
    const known = url.pathname === "/oauth2/token" || url.pathname === "/oauth2/revoke";
    if (!known) throw new OAuthError("not_found", 404);
    if (method !== "POST") throw new OAuthError("invalid_request", 405);
    if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(headers["content-type"] ?? "")) {
      throw new OAuthError("invalid_request");
    }
    const form = await readForm(request);
    if (url.pathname === "/oauth2/token") {
      sendJson(response, 200, tokenEndpoints.token(context, headers, form), anyOrigin);
    } else {
      await tokenEndpoints.revoke(context, headers, form);
      response.writeHead(200, { ...anyOrigin, "content-length": 0 }).end();
    }
  } catch (error) {
    const known = error instanceof BodyTooLong ? new OAuthError("invalid_request", 413) : error;
    if (!(known instanceof OAuthError)) throw error;
    const { code, status, description } = known;
    const words = description ? `, error_description="${description}"` : "";
    const challenge: Record<string, string> =
      status === 401 ? { "www-authenticate": `Bearer error="${code}"${words}` } : {};
    const body = { error: code, error_description: description };
    sendJson(response, status, body, { ...anyOrigin, ...challenge });
  }
}

function headersTo({ url }: Redirect) {
  return { location: url, "cache-control": "no-store", "referrer-policy": "no-referrer", "content-length": 0 };
}

function sendPage(response: ServerResponse, status: number, { text }: Html, formAction = "'none'"): void {
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
    "content-security-policy": `default-src 'none'; style-src 'self'; img-src data:; form-action ${formAction}; base-uri 'none'; frame-ancestors 'none'`,
    // Not "no-referrer": browsers would then send forms without their origin.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
  });
  response.end(text);
}
