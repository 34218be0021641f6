import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { isGone, type ListenOptions, listen, stop } from "../../../cli/http";

/** A whole HTTP answer. */
export interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Absent where the answer has none (HEAD, 304, an upload). A stream must be read or destroyed. */
  readonly body?: Buffer | Readable;
}

export interface ServeOptions extends ListenOptions {
  answer(request: IncomingMessage): Promise<Answer>;
  /** The answer to a request for which `answer` threw, which is an error of this program. */
  failed(error: unknown): Answer;
}

/**
 * Starts a server on 127.0.0.1. No request can end it.
 * @throws CommandError if the port is taken.
 */
export async function serve(options: ServeOptions): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = await listen(options, (request, response) => respond(options, request, response));
  return { port: (server.address() as AddressInfo).port, close: () => stop(server) };
}

/** The bytes of a request's body. If the reader stops early, the connection stays open for the answer. */
export function bodyOf(request: IncomingMessage): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => request.iterator({ destroyOnReturn: false }) };
}

/** All headers as strings; a repeated header is joined as HTTP specifies. */
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
    // The client is gone, or the disk failed in the middle of an answer: closing the connection is the only sign left.
    response.destroy();
  } finally {
    // An unread rest of the body would block the connection.
    if (!request.complete) request.resume();
  }
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
