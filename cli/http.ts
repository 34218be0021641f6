import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { CommandError } from "./commandError";

/** A request body that is longer than its limit. */
export class BodyTooLong extends Error {
  override readonly name = "BodyTooLong";
}

/** How long a client may take, in ms; a client that takes longer gets a 408, and its connection is closed. */
export interface TimeLimits {
  /** For the request line and all headers. */
  readonly headers: number;
  /** For the whole request. */
  readonly request: number;
  /** The interval between two checks of the connections: a connection may be closed this much later than its limit. */
  readonly check: number;
}

/** Clients on the same machine need a fraction of this, also for the largest upload. */
const usualLimits: TimeLimits = { headers: 10_000, request: 30_000, check: 5_000 };

/**
 * How long (ms) an idle connection stays open. A request that a client sends while the server closes the connection is
 * lost. The AWS SDKs and Node's fetch close idle connections long before this limit, but only just before Node's
 * default of 5 s.
 */
const idleLimit = 60_000;

/** Node's default, independent of this process's `--max-http-header-size`. */
const usualHeaderSize = 16 * 1024;

export interface ListenOptions {
  /** 0 for any free one. */
  readonly port: number;
  /** @default 127.0.0.1 */
  readonly address?: "127.0.0.1" | "::1";
  /** What the port is for, in messages. */
  readonly use: string;
  /** The most bytes of request line and headers together; a larger request gets a 431. @default 16384 */
  readonly maxHeaderSize?: number;
  /** @default 10 s for the headers, 30 s for the whole request */
  readonly limits?: TimeLimits;
  /** Makes the body of the response to a request that never reaches `handle`. @default JSON with a `message` */
  readonly refusal?: Refusal;
}

/** Makes the body of an error response in the format of the service that listens on the port. */
export type Refusal = (status: number, message: string) => { readonly type: string; readonly text: string };

const jsonRefusal: Refusal = (_, message) => ({ type: "application/json", text: JSON.stringify({ message }) });

/**
 * Starts an HTTP server on this machine that goes on after an error of its handler and does not wait for slow clients.
 * It accepts only requests whose Host header is a name of this machine: the owner of a web page can have the page's own
 * host name resolve to 127.0.0.1, and the page would then have the same origin as the server (DNS rebinding).
 * @throws CommandError where the port is taken.
 */
export async function listen(
  options: ListenOptions,
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<Server> {
  const { port, use, maxHeaderSize = usualHeaderSize, limits = usualLimits, refusal = jsonRefusal } = options;
  const { address = "127.0.0.1" } = options;
  const settings = {
    maxHeaderSize,
    headersTimeout: limits.headers,
    requestTimeout: limits.request,
    keepAliveTimeout: idleLimit,
    connectionsCheckingInterval: limits.check,
  };
  const responses = new WeakMap<Socket, ServerResponse>();
  const server = createServer(settings, (request, response) => {
    responses.set(request.socket, response);
    if (!isForThisMachine(request)) return refuseHost(request, response, refusal);
    handle(request, response).catch((error: unknown) => {
      if (isGone(request)) return;
      console.error(`The local ${use} endpoint failed:`, error);
      if (!response.headersSent) response.writeHead(500, { "content-type": "text/plain" });
      response.end("Internal server error");
    });
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    const response = responses.get(socket);
    const isResponding = response?.headersSent === true && !response.writableFinished;
    if (error.code === "ECONNRESET" || !socket.writable || isResponding) return socket.destroy();
    const status = statuses[error.code ?? ""] ?? 400;
    const reason = STATUS_CODES[status]!;
    const { type, text } = refusal(status, reason);
    const head = `HTTP/1.1 ${status} ${reason}\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(text)}`;
    socket.end(`${head}\r\nConnection: close\r\n\r\n${text}`, () => socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const taken = error.code === "EADDRINUSE";
      reject(taken ? new CommandError(`Port ${port} on ${address} (${use}) is taken: end what listens there.`) : error);
    });
    server.listen(port, address, resolve);
  });
  return server;
}

const statuses: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** Stops the server and closes its open connections; safe to call twice. */
export async function stop(server: Server | undefined): Promise<void> {
  if (!server?.listening) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}

/**
 * The whole body. A body that is too long is still read to its end, but not kept, so that the client receives the
 * response.
 * @param limit bytes
 * @throws BodyTooLong
 */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
    else chunks.length = 0;
  }
  if (size > limit) throw new BodyTooLong();
  return Buffer.concat(chunks);
}

/** Whether the connection was closed in the middle of the request, by the client or by this server. */
export function isGone(request: IncomingMessage): boolean {
  return request.destroyed && !request.complete;
}

/** Whether the Host header is a name of this machine, and not another name that resolves to it. */
function isForThisMachine(request: IncomingMessage): boolean {
  return /^(localhost|127\.0\.0\.1)(:\d+)?$/i.test(request.headers.host ?? "");
}

function refuseHost(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  const host = JSON.stringify(request.headers.host ?? "");
  const message = `The request names the host ${host}; allowed: 127.0.0.1 and localhost, as in the printed URLs.`;
  const { type, text } = refusal(403, message);
  response.writeHead(403, { "content-type": type, "content-length": Buffer.byteLength(text) });
  response.end(text);
}

/** @param indent spaces, for responses that people read too. @default 0, all on one line */
export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
  indent = 0,
): void {
  const body = JSON.stringify(value, undefined, indent);
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
}
