import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { StartError } from "../host/part";

/** A request body that is longer than its limit. */
export class BodyTooLong extends Error {
  override readonly name = "BodyTooLong";
}

/**
 * Starts an HTTP server on 127.0.0.1 that survives whatever its handler throws and does not wait for slow clients.
 * @param use what the port is for, for messages
 * @throws StartError where the port is taken.
 */
export async function listen(
  port: number,
  use: string,
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<Server> {
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      console.error(`The local ${use} endpoint failed:`, error);
      if (!response.headersSent) response.writeHead(500, { "content-type": "text/plain" });
      response.end("Internal server error");
    });
  });
  server.requestTimeout = 10_000;
  server.headersTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const taken = error.code === "EADDRINUSE";
      reject(taken ? new StartError(`Port ${port} on 127.0.0.1 (${use}) is taken: end what listens there.`) : error);
    });
    server.listen(port, "127.0.0.1", resolve);
  });
  return server;
}

/** Ends open connections too; safe to call twice. */
export async function stop(server: Server | undefined): Promise<void> {
  if (!server?.listening) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}

/**
 * @param limit bytes
 * @throws BodyTooLong
 */
export async function readBody(request: IncomingMessage, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw new BodyTooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Whether the request was meant for this machine, and not for a name of somebody's that resolves to it. */
export function isForThisMachine(request: IncomingMessage): boolean {
  return /^(localhost|127\.0\.0\.1)(:\d+)?$/.test(request.headers.host ?? "");
}

export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = JSON.stringify(value);
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
}
