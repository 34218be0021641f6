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
  /** The answer to a request that `answer` failed for, which is a fault of this program. */
  failed(error: unknown): Answer;
}

/**
 * A server on 127.0.0.1 that no request ends.
 * @throws CommandError where the port is taken.
 */
export async function serve(options: ServeOptions): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = await listen(options, (request, response) => respond(options, request, response));
  return { port: (server.address() as AddressInfo).port, close: () => stop(server) };
}

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
