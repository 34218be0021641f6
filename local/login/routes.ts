import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { BodyTooLong, type Refusal, readBody, sendJson } from "../http";
import { type Authorization, availableClient, readAuthorization, single, withParameters } from "./authorization";
import { OAuthError, PageError, Redirect, refusalText } from "./failures";
import type { Html } from "./html";
import { backToApp, type Desk, FormError, type Interaction, interactions, pendingOf, type Step } from "./interactions";
import { errorPage } from "./pages";
import * as tokenEndpoints from "./tokenEndpoints";
import { cookie, csrfMatches } from "./visits";

const style = readFileSync(join(__dirname, "style.css"));
const longestForm = 32 * 1024;
const sentElsewhere = "This form was not sent from these pages, or they were open for too long. Go back and try again.";

/** As Cognito has it: scripts of any page may call these. */
const anyOrigin = { "access-control-allow-origin": "*", "cache-control": "no-store", pragma: "no-cache" };
const preflight = {
  ...anyOrigin,
  "access-control-allow-methods": "GET, POST, OPTIONS",
  "access-control-allow-headers": "Authorization, Content-Type",
  "access-control-max-age": "1728000",
};

/** A request that the pages do not even read. */
export const refusal: Refusal = (_, message) => ({
  type: "text/html; charset=utf-8",
  text: errorPage("Something went wrong", message).text,
});

/**
 * Answers one request to the login pages.
 * @param self the pages' own URL
 */
export async function serve(desk: Desk, self: string, request: IncomingMessage, response: ServerResponse) {
  const target = request.url ?? "/";
  const url = new URL(URL.canParse(target, self) ? target : "/", self);
  try {
    if (url.pathname.startsWith("/oauth2/") && url.pathname !== "/oauth2/authorize") {
      await answerClient(desk, url, request, response);
    } else if (request.method === "POST" && Object.hasOwn(interactions, url.pathname)) {
      await submitForm(desk, self, url, request, response);
    } else if (request.method === "GET" || request.method === "HEAD") {
      answerBrowser(desk, url, request, response);
    } else {
      throw new PageError(405, "Something went wrong", "This method is not allowed here.");
    }
  } catch (error) {
    if (error instanceof Redirect) response.writeHead(request.method === "POST" ? 303 : 302, headersTo(error)).end();
    else if (error instanceof PageError) sendPage(response, error.status, errorPage(error.title, error.message));
    else if (error instanceof BodyTooLong) {
      sendPage(response, 413, errorPage("Something went wrong", `A form may have ${longestForm} bytes.`));
    } else throw error;
  }
}

function answerBrowser(desk: Desk, url: URL, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = url;
  if (pathname === "/style.css") {
    response.writeHead(200, { "content-type": "text/css; charset=utf-8", "cache-control": "max-age=3600" }).end(style);
  } else if (pathname === "/logout") {
    logOut(desk, searchParams, request, response);
  } else if (pathname === "/oauth2/authorize") {
    authorize(desk, readAuthorization(desk.world, searchParams), request);
  } else if (Object.hasOwn(interactions, pathname)) {
    const authorization = readAuthorization(desk.world, searchParams);
    const visit = desk.visits.find(request) ?? desk.visits.begin();
    const step: Step = { desk, authorization, visit };
    const interaction = interactions[pathname]!;
    if (interaction.needsPending && !pendingOf(step)) throw new Redirect(`/login?${authorization.query}`);
    if (pathname === "/signup" && authorization.client.pool.settings.adminCreateOnly) {
      throw new PageError(403, "Something went wrong", "Only an administrator can create accounts here.");
    }
    show(interaction, step, response, 200);
  } else {
    throw new PageError(404, "Page not found", "There is no such page.");
  }
}

/** @see https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html */
function authorize(desk: Desk, authorization: Authorization, request: IncomingMessage): never {
  const { client, prompt, redirectUri, state, query } = authorization;
  const signedIn = desk.visits.find(request)?.signedIn;
  const user = signedIn?.pool === client.pool ? client.pool.users.find(signedIn.username) : undefined;
  if (user?.enabled && prompt !== "login") throw backToApp(desk, authorization, user.username, signedIn!.authTime);
  if (prompt === "none") throw new Redirect(withParameters(redirectUri, { error: "login_required", state }));
  throw new Redirect(`/login?${query}`);
}

/** @see https://docs.aws.amazon.com/cognito/latest/developerguide/logout-endpoint.html */
function logOut(desk: Desk, search: URLSearchParams, request: IncomingMessage, response: ServerResponse): void {
  const client = availableClient(desk.world, single(search, "client_id"));
  const target = single(search, "logout_uri");
  const registered = target !== undefined && client.settings.oauth.signOutUrls.includes(target);
  if (target !== undefined && !registered) {
    throw new PageError(400, "Something went wrong", "redirect_mismatch: logout_uri is no sign-out URL of this app.");
  }
  // Without logout_uri the person signs in again: the request must then be a whole authorization request.
  const to = registered
    ? withParameters(target, { state: single(search, "state") })
    : `/login?${readAuthorization(desk.world, search).query}`;
  const visit = desk.visits.find(request);
  if (visit) desk.visits.end(visit);
  response.setHeader("set-cookie", cookie(undefined));
  throw new Redirect(to);
}

async function submitForm(desk: Desk, self: string, url: URL, request: IncomingMessage, response: ServerResponse) {
  const form = await readForm(request);
  const authorization = readAuthorization(desk.world, url.searchParams);
  const { origin = self, "sec-fetch-site": site = "same-origin" } = request.headers;
  const visit = desk.visits.find(request);
  const ours = [self, self.replace("127.0.0.1", "localhost")].includes(origin) && site === "same-origin";
  if (!ours || !visit || !csrfMatches(visit, form.get("_csrf"))) {
    throw new PageError(403, "Something went wrong", sentElsewhere);
  }
  const step: Step = { desk, authorization, visit };
  const interaction = interactions[url.pathname]!;
  if (interaction.needsPending && !pendingOf(step)) throw new Redirect(`/login?${authorization.query}`);
  try {
    await interaction.submit(step, form);
  } catch (error) {
    if (step.visit !== visit) response.setHeader("set-cookie", cookie(step.visit));
    const words = error instanceof FormError ? error.message : refusalText(error);
    if (words === undefined) throw error;
    show(interaction, step, response, 400, { error: words, username: form.get("username") ?? undefined });
  }
}

function show(
  interaction: Interaction,
  step: Step,
  response: ServerResponse,
  status: number,
  more: { error?: string; username?: string } = {},
): void {
  const { authorization, visit } = step;
  const { notice } = visit;
  visit.notice = undefined;
  const username = more.username ?? pendingOf(step)?.username;
  response.setHeader("set-cookie", cookie(visit));
  // The form's answer leads on to the app, and browsers hold that against form-action too.
  const { origin, protocol } = new URL(authorization.redirectUri);
  const app = origin === "null" ? protocol : origin;
  const page = interaction.show({ authorization, visit, notice, ...more, username });
  sendPage(response, status, page, `'self' ${app}`);
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  return new URLSearchParams((await readBody(request, longestForm)).toString());
}

/** The endpoints that apps call, not people: JSON, for scripts of any page. */
async function answerClient(desk: Desk, url: URL, request: IncomingMessage, response: ServerResponse) {
  const { headers, method } = request;
  if (method === "OPTIONS") {
    response.writeHead(200, preflight).end();
    return;
  }
  try {
    if (url.pathname === "/oauth2/userInfo" && (method === "GET" || method === "POST")) {
      sendJson(response, 200, tokenEndpoints.userInfo(desk, headers), anyOrigin);
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
      sendJson(response, 200, tokenEndpoints.token(desk, headers, form), anyOrigin);
    } else {
      await tokenEndpoints.revoke(desk, headers, form);
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
