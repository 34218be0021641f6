import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { listen, sendJson, stop } from "../http";
import { hasNoIpv6 } from "../ports";
import { type PublicSettings, publicSettings } from "./settings";

/** The access token is invalid or has expired; thrown by `WebServerOptions.me`. */
export class InvalidToken extends Error {
  override readonly name = "InvalidToken";
}

export interface WebServerOptions {
  /** On localhost; 0 for any free one. */
  readonly port: number;
  /** Returns the stack's outputs; called at every request. Only the public ones leave this process. */
  readonly settings: () => PublicSettings;
  /**
   * Verifies an access token and returns the row of `users` of its user, or undefined where there is none. Without this
   * function the page says that the row cannot be shown.
   *
   * @throws InvalidToken
   */
  readonly me?: (accessToken: string) => Promise<object | undefined>;
}

export interface WebServer {
  /** For example `http://localhost:3000/`. */
  readonly url: string;
  /** Stops the server and closes its open connections; safe to call twice. */
  close(): Promise<void>;
}

const folder = join(__dirname, "../../web");
const rowPath = "/me";

const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** A request that is refused: the status and the message of the response. */
class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

/**
 * Serves the page of `web/` on this machine, with its settings as `/config.json` and the signed-in person's row as
 * `/me`. A browser resolves `localhost` to ::1 first, so the server listens there too: another program on that port
 * would otherwise receive the page's visitors, with the codes that managed login adds to the URL.
 *
 * @throws CommandError where the port is taken on either address
 */
export async function startWebServer(options: WebServerOptions): Promise<WebServer> {
  const handle = (request: IncomingMessage, response: ServerResponse) => serve(options, request, response);
  const server = await listen({ port: options.port, use: "page" }, handle);
  const { port } = server.address() as AddressInfo;
  const overIpv6 = await listen({ port, use: "page", address: "::1" }, handle).catch(
    async (error: NodeJS.ErrnoException) => {
      if (hasNoIpv6(error)) return undefined;
      await stop(server);
      throw error;
    },
  );
  const close = async () => {
    await Promise.all([stop(server), stop(overIpv6)]);
  };
  return { url: `http://localhost:${port}/`, close };
}

async function serve(options: WebServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.setHeader("x-content-type-options", "nosniff");
  response.setHeader("referrer-policy", "no-referrer");
  try {
    if (request.method !== "GET" && request.method !== "HEAD") {
      const allowed = { allow: "GET, HEAD" };
      throw new Refused(405, `The method ${request.method} is not allowed here; GET and HEAD are.`, allowed);
    }
    const settings = publicSettings({ ...options.settings() });
    // The path is not resolved: one that a browser would not send, such as one with dots or a host, gets a 404.
    const path = (request.url ?? "/").split("?")[0]!;
    if (path === "/config.json") {
      sendJson(response, 200, { ...settings, rowPath: options.me && rowPath }, { "cache-control": "no-store" });
    } else if (path === rowPath && options.me) {
      sendJson(response, 200, await ownRow(options.me, request), { "cache-control": "no-store" });
    } else {
      // Managed login sends people back to the registered URL, whatever its path is.
      const isPage = path === "/" || path === new URL(settings.webUrl).pathname;
      await sendFile(isPage ? "index.html" : path.slice(1), settings, request, response);
    }
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    sendJson(response, error.status, { message: error.message }, { "cache-control": "no-store", ...error.headers });
  }
}

async function ownRow(me: NonNullable<WebServerOptions["me"]>, { headers }: IncomingMessage): Promise<object> {
  const [, token] = /^Bearer (\S+)$/i.exec(headers.authorization ?? "") ?? [];
  const challenge = { "www-authenticate": "Bearer" };
  if (token === undefined) {
    throw new Refused(401, "Send the access token in the Authorization header, as `Bearer TOKEN`.", challenge);
  }
  let row: object | undefined;
  try {
    row = await me(token);
  } catch (error) {
    if (!(error instanceof InvalidToken)) throw error;
    throw new Refused(401, "The access token is not valid: sign in again.", challenge);
  }
  if (row === undefined) throw new Refused(404, "There is no row for this person in the table users.");
  return row;
}

/** Sends a file of the folder. Accepts a plain file name only, so that no path leads out of the folder. */
async function sendFile(
  name: string,
  settings: PublicSettings,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const type = /^[\w-]+\.\w+$/.test(name) ? contentTypes[extname(name)] : undefined;
  const content = type && (await readFile(join(folder, name)).catch(missing));
  if (!content) throw new Refused(404, "There is no such page; the page is at /.");
  const etag = `"${createHash("sha256").update(content).digest("base64url")}"`;
  const headers = {
    "content-security-policy": contentSecurityPolicy(settings),
    // The browser keeps the file but revalidates it every time: an edit shows at the next reload.
    "cache-control": "no-cache",
    etag,
  };
  if (request.headers["if-none-match"]?.split(/\s*,\s*/).includes(etag)) {
    response.writeHead(304, headers).end();
    return;
  }
  response.writeHead(200, { ...headers, "content-type": type, "content-length": content.length });
  response.end(request.method === "HEAD" ? undefined : content);
}

function missing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}

/** Allows the page's own scripts and styles, and connections to the stack's API, bucket and login only. */
function contentSecurityPolicy({ apiUrl, bucketUrl, signInUrl }: PublicSettings): string {
  const [api, bucket, login] = [apiUrl, bucketUrl, signInUrl].map((url) => new URL(url).origin);
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `img-src 'self' blob: ${bucket}`,
    `connect-src 'self' ${api} ${login}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}
