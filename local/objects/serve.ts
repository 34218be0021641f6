import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** A whole HTTP answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer | Readable;
}

export interface ServeOptions {
  /** 0 takes any free one. */
  readonly port: number;
  /** Largest sum of request line and headers, in bytes. @default 16384 */
  readonly maxHeaderSize?: number;
  answer(request: IncomingMessage): Promise<Answer>;
  /** The answer to a request that `answer` failed for, which is a fault of this program. */
  failed(error: unknown): Answer;
  /** The body of the answer to what is not HTTP, or too much of it. */
  refused(status: number, reason: string): { readonly type: string; readonly text: string };
}

/** A server on 127.0.0.1 that no request ends. */
export async function serve(options: ServeOptions): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = createServer({ maxHeaderSize: options.maxHeaderSize }, (request, response) => {
    void respond(options, request, response);
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (error.code === "ECONNRESET" || !socket.writable) return socket.destroy();
    const [status, reason] = refusals[error.code ?? ""] ?? [400, "Bad Request"];
    const { type, text } = options.refused(status, reason);
    const head = `HTTP/1.1 ${status} ${reason}\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(text)}`;
    socket.end(`${head}\r\nConnection: close\r\n\r\n${text}`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, "127.0.0.1", resolve);
  });
  return { port: (server.address() as AddressInfo).port, close: () => close(server) };
}

const refusals: Readonly<Record<string, readonly [number, string]>> = {
  HPE_HEADER_OVERFLOW: [431, "Request Header Fields Too Large"],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "Request Timeout"],
};

/** The bytes of a request's body, such that giving up on them leaves the connection able to carry the answer. */
export function bodyOf(request: IncomingMessage): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => request.iterator({ destroyOnReturn: false }) };
}

/** All headers as texts; one that was sent several times is joined as HTTP says. */
export function headersOf(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(", ") : value]],
    ),
  );
}

async function respond(options: ServeOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const answer = await options.answer(request).catch((error: unknown) => {
      if (isGone(request)) throw error;
      return options.failed(error);
    });
    await send(request, response, answer);
  } catch {
    // The client is gone, or the disk fails in the middle of an answer: a torn connection is all that can tell.
    response.destroy();
  } finally {
    // What was not read of the body would block the connection.
    if (!request.complete) request.resume();
  }
}

/** Whether the client went away in the middle of its request. */
function isGone(request: IncomingMessage): boolean {
  return request.destroyed && !request.complete;
}

async function send(request: IncomingMessage, response: ServerResponse, answer: Answer): Promise<void> {
  const { status, headers, body } = answer;
  if (isGone(request)) {
    if (body instanceof Readable) body.destroy();
    return;
  }
  const length = body instanceof Buffer && { "content-length": String(body.length) };
  try {
    response.writeHead(status, { ...length, ...headers });
  } catch (error) {
    if (body instanceof Readable) body.destroy();
    throw error;
  }
  if (body instanceof Readable && request.method !== "HEAD") {
    await pipeline(body, response);
    return;
  }
  if (body instanceof Readable) body.destroy();
  response.end(body instanceof Readable ? undefined : body);
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
