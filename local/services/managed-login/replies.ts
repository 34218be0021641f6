import type { ServerResponse } from "node:http";
import { type Html, html, page } from "./html";

/** Sends the browser to another page. */
export class Redirect {
  /** @param url a path of these pages, or a URL that was registered for the client */
  constructor(readonly url: string) {}
}

/** A link on a page. */
export interface Link {
  readonly url: string;
  readonly text: string;
}

/** A page with a message instead of what was requested. It links to `links` only and to no URL from the request. */
export class ErrorPage {
  constructor(
    /** HTTP status. */
    readonly status: number,
    readonly title: string,
    readonly message: string,
    /** Links for the person to go on, if the authorization request is known. @default none */
    readonly links: readonly Link[] = [],
  ) {}

  get html(): Html {
    return page(
      this.title,
      html`<h1>${this.title}</h1><p class="alert" role="alert">${this.message}</p>
      ${this.links.map((link) => html`<p class="foot"><a href="${link.url}">${link.text}</a></p>`)}`,
    );
  }
}

/** A page with a form. */
export class FormPage {
  constructor(
    readonly html: Html,
    /** Origin or scheme of the app. An accepted form redirects there, and browsers apply `form-action` to redirects too. */
    readonly app: string,
  ) {}
}

/** The pages' style sheet. */
export class StyleSheet {
  constructor(readonly css: Buffer) {}
}

/** What the pages send to a browser. */
export type Reply = Redirect | ErrorPage | FormPage | StyleSheet;

/** @param method the request's method */
export function send(reply: Reply, method: string | undefined, response: ServerResponse): void {
  if (reply instanceof Redirect) {
    const headers = { "cache-control": "no-store", "referrer-policy": "no-referrer", "content-length": 0 };
    response.writeHead(method === "POST" ? 303 : 302, { location: reply.url, ...headers }).end();
  } else if (reply instanceof StyleSheet) {
    const headers = { "content-type": "text/css; charset=utf-8", "cache-control": "max-age=3600" };
    response.writeHead(200, headers).end(reply.css);
  } else if (reply instanceof FormPage) {
    sendPage(response, 200, reply.html, `'self' ${reply.app}`);
  } else {
    sendPage(response, reply.status, reply.html, "'none'");
  }
}

function sendPage(response: ServerResponse, status: number, { text }: Html, formAction: string): void {
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
