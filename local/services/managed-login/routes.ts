import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { BodyTooLong, type Refusal as HttpRefusal } from "../../../cli/http";
import { availableClient, isRefusedRequest, readAuthorization, single, withParameters } from "./authorization";
import { cookie } from "./browserSessions";
import { type Exchange, type LoginContext, pendingOf, type Visit } from "./context";
import { backToSignIn, longestForm, missingPerson, submitForm } from "./forms";
import { backToApp, interactions } from "./interactions";
import { ErrorPage, FormPage, Redirect, type Reply, StyleSheet, send } from "./replies";
import { callTokenEndpoint } from "./tokenEndpoints";

const style = new StyleSheet(readFileSync(join(__dirname, "style.css")));

/** Handles a request for browsers. */
interface Route {
  readonly methods: readonly string[];
  matches(path: string): boolean;
  reply(exchange: Exchange): Reply | Promise<Reply>;
}

const isPage = (path: string) => Object.hasOwn(interactions, path);
const read = ["GET", "HEAD"];

/** Every page, in this order; the first route that matches handles the request. */
const routes: readonly Route[] = [
  { methods: ["POST"], matches: isPage, reply: submitForm },
  { methods: read, matches: (path) => path === "/style.css", reply: () => style },
  { methods: read, matches: (path) => path === "/logout", reply: logOut },
  { methods: read, matches: (path) => path === "/oauth2/authorize", reply: authorize },
  { methods: read, matches: isPage, reply: showPage },
  { methods: read, matches: () => true, reply: () => new ErrorPage(404, "Page not found", "There is no such page.") },
];

/** The reply to a request that the HTTP server itself refuses, for example because of its size. */
export const refusal: HttpRefusal = (_, message) => ({
  type: "text/html; charset=utf-8",
  text: new ErrorPage(400, "Something went wrong", message).html.text,
});

/**
 * Handles one request to the login pages or to the endpoints for apps.
 * @param self the pages' own URL
 */
export async function serve(context: LoginContext, self: string, request: IncomingMessage, response: ServerResponse) {
  const target = request.url ?? "/";
  const url = new URL(URL.canParse(target, self) ? target : "/", self);
  if (url.pathname.startsWith("/oauth2/") && url.pathname !== "/oauth2/authorize") {
    return callTokenEndpoint(context, url.pathname, request, response);
  }
  const setCookie: Exchange["setCookie"] = (session) => response.setHeader("set-cookie", cookie(session));
  send(await replyTo({ context, self, url, request, setCookie }), request.method, response);
}

async function replyTo(exchange: Exchange): Promise<Reply> {
  const { request, url } = exchange;
  const route = routes.find(({ methods, matches }) => methods.includes(request.method ?? "") && matches(url.pathname));
  if (!route) return new ErrorPage(405, "Something went wrong", "This method is not allowed here.");
  try {
    return await route.reply(exchange);
  } catch (error) {
    if (!(error instanceof BodyTooLong)) throw error;
    return new ErrorPage(413, "Something went wrong", `A form may have ${longestForm} bytes.`);
  }
}

/** @see https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html */
function authorize({ context, url, request }: Exchange): Reply {
  const authorization = readAuthorization(context.cognito, url.searchParams);
  if (isRefusedRequest(authorization)) return authorization;
  const { client, prompt, redirectUri, state, query } = authorization;
  const signedIn = context.sessions.find(request)?.signedIn;
  const user = signedIn?.pool === client.pool ? client.pool.users.find(signedIn.username) : undefined;
  if (user?.enabled && prompt !== "login") {
    return backToApp(context, authorization, user.username, signedIn!.authTime);
  }
  if (prompt === "none") return new Redirect(withParameters(redirectUri, { error: "login_required", state }));
  return new Redirect(`/login?${query}`);
}

/** @see https://docs.aws.amazon.com/cognito/latest/developerguide/logout-endpoint.html */
function logOut({ context, url, request, setCookie }: Exchange): Reply {
  const search = url.searchParams;
  const client = availableClient(context.cognito, single(search, "client_id"));
  if (client instanceof ErrorPage) return client;
  const target = single(search, "logout_uri");
  let next: string;
  if (target === undefined) {
    // Without logout_uri the person signs in again: the request must then be a complete authorization request.
    const authorization = readAuthorization(context.cognito, search);
    if (isRefusedRequest(authorization)) return authorization;
    next = `/login?${authorization.query}`;
  } else {
    if (!client.settings.oauth.signOutUrls.includes(target)) {
      const text = "redirect_mismatch: logout_uri is not a sign-out URL of this app.";
      return new ErrorPage(400, "Something went wrong", text);
    }
    next = withParameters(target, { state: single(search, "state") });
  }
  const session = context.sessions.find(request);
  if (session) context.sessions.end(session);
  setCookie(undefined);
  return new Redirect(next);
}

/** The page of an interaction, with the session's messages, which are shown once. */
function showPage({ context, url, request, setCookie }: Exchange): Reply {
  const authorization = readAuthorization(context.cognito, url.searchParams);
  if (isRefusedRequest(authorization)) return authorization;
  const interaction = interactions[url.pathname]!;
  const session = context.sessions.find(request) ?? context.sessions.begin();
  const visit: Visit = { context, authorization, session };
  const elsewhere = missingPerson(interaction, visit);
  if (elsewhere) return elsewhere;
  if (url.pathname === "/signup" && authorization.client.pool.settings.adminCreateOnly) {
    const text = "Only an administrator can create accounts here.";
    return new ErrorPage(403, "Something went wrong", text, [backToSignIn(authorization)]);
  }
  const { notice, refusal } = session;
  session.notice = undefined;
  session.refusal = undefined;
  setCookie(session);
  const view = {
    authorization,
    session,
    notice,
    refusal: refusal?.path === url.pathname ? refusal : undefined,
    pending: pendingOf(visit),
    mailboxUrl: context.mailboxUrl,
  };
  const { origin, protocol } = new URL(authorization.redirectUri);
  return new FormPage(interaction.show(view), origin === "null" ? protocol : origin);
}
