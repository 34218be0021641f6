import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { CommandError } from "./commandError";

/** A request body that is longer than its limit. */
export class BodyTooLong extends Error {
  override readonly name = "BodyTooLong";
}

/** How long a client may take, in ms; one that takes longer is answered with 408 and cut off. */
export interface TimeLimits {
  /** For the request line and all headers. */
  readonly headers: number;
  /** For the whole request. */
  readonly request: number;
  /** Between two looks at the connections: as much later than its limit a client may be cut off. */
  readonly check: number;
}

/** Clients on the same machine need a fraction of this, also for the largest upload. */
const usualLimits: TimeLimits = { headers: 10_000, request: 30_000, check: 5_000 };

/**
 * How long (ms) a connection that nobody uses is kept. A client that sends its next request just when it is closed loses
 * that one; the AWS SDKs and Node's fetch let go of theirs long before this, but only just before Node's own 5 s.
 */
const idleLimit = 60_000;

/** Node's default, whatever the command line of this process says. */
const usualHeaderSize = 16 * 1024;

export interface ListenOptions {
  /** 0 for any free one. */
  readonly port: number;
  /** @default 127.0.0.1 */
  readonly address?: "127.0.0.1" | "::1";
  /** What the port is for, in messages. */
  readonly use: string;
  /** Largest sum of request line and headers, in bytes; a larger one is answered with 431. @default 16384 */
  readonly maxHeaderSize?: number;
  /** @default 10 s for the headers, 30 s for the whole request */
  readonly limits?: TimeLimits;
  /** The body of the answer to a request that `handle` never sees. @default JSON with a `message` */
  readonly refusal?: Refusal;
}

/** Words a refusal as the service does that is asked. */
export type Refusal = (status: number, message: string) => { readonly type: string; readonly text: string };

const jsonRefusal: Refusal = (_, message) => ({ type: "application/json", text: JSON.stringify({ message }) });

/**
 * Starts an HTTP server on this machine that survives whatever its handler throws and does not wait for slow clients. It
 * answers to the names of this machine only: any web page can have a name of its own resolve to 127.0.0.1, and would
 * then be of the same origin as what listens there (DNS rebinding).
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
  const answering = new WeakMap<Socket, ServerResponse>();
  const server = createServer(settings, (request, response) => {
    answering.set(request.socket, response);
    if (!isForThisMachine(request)) return refuseHost(request, response, refusal);
    handle(request, response).catch((error: unknown) => {
      if (isGone(request)) return;
      console.error(`The local ${use} endpoint failed:`, error);
      if (!response.headersSent) response.writeHead(500, { "content-type": "text/plain" });
      response.end("Internal server error");
    });
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    const answer = answering.get(socket);
    const inAnswer = answer?.headersSent === true && !answer.writableFinished;
    if (error.code === "ECONNRESET" || !socket.writable || inAnswer) return socket.destroy();
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

/** Ends open connections too; safe to call twice. */
export async function stop(server: Server | undefined): Promise<void> {
  if (!server?.listening) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}

/**
 * The whole body. One that is too long is read to its end all the same, and not kept, so that its sender sees the answer.
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

/** Whether the client went away, or was cut off, in the middle of its request: nobody is there to answer. */
export function isGone(request: IncomingMessage): boolean {
  return request.destroyed && !request.complete;
}

/** Whether the request was meant for this machine, and not for a name of somebody's that resolves to it. */
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

/** @param indent spaces, for what people read too. @default 0, all on one line */
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
