import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { StartError } from "../host/part";
import { AwsError } from "./awsError";
import type { Iam } from "./iam";
import { verifySignature } from "./signature";

/** A request that was signed by a known access key. */
export interface AwsCall {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
  readonly accessKeyId: string;
}

export interface AwsAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface AwsServerOptions {
  /** The signing name, for example `secretsmanager`. */
  readonly service: string;
  readonly region: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly iam: Iam;
  /** Content type of answers. */
  readonly contentType: string;
  /** Longest request body in bytes; a longer one is answered with 413. */
  readonly maxBody: number;
  /** @default the machine's clock */
  readonly now?: () => Date;
}

/** One AWS service on 127.0.0.1: verifies every request's signature and turns errors into AWS's answers. */
export class AwsServer {
  readonly url: string;
  readonly #server: Server;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.url = `http://127.0.0.1:${port}`;
  }

  /**
   * Starts listening.
   * @param answer gets each verified call; an AwsError that it throws reaches the caller, any other becomes a 500.
   * @throws StartError where the port is taken.
   */
  static async start(options: AwsServerOptions, answer: (call: AwsCall) => Promise<AwsAnswer>): Promise<AwsServer> {
    // A slow caller holds nothing for long: 30 s for the whole request.
    const timeouts = { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 5_000 };
    const server = createServer(timeouts, (request, response) => void respond(options, answer, request, response));
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error: NodeJS.ErrnoException) => {
        const inUse = error.code === "EADDRINUSE";
        reject(inUse ? new StartError(`Port ${options.port} on 127.0.0.1 is taken: end what listens there.`) : error);
      });
      server.listen(options.port, "127.0.0.1", resolve);
    });
    return new AwsServer(server, (server.address() as AddressInfo).port);
  }

  /** Ends open connections too; safe to call twice. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }
}

async function respond(
  options: AwsServerOptions,
  answer: (call: AwsCall) => Promise<AwsAnswer>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const { method = "", url = "/", headers } = request;
    const body = await readBody(request, options.maxBody);
    const { service, region, iam } = options;
    const now = options.now?.() ?? new Date();
    const accessKeyId = isOwnKey(headers.authorization, iam)
      ? iam.administrator.accessKeyId
      : verifySignature({ method, url, headers, body }, { service, region, now, secretOf: (key) => iam.secretOf(key) });
    send(response, options.contentType, await answer({ method, url, headers, body, accessKeyId }));
  } catch (error) {
    if (request.destroyed && !request.complete) return; // The caller went away: nobody is there to answer.
    const known = error instanceof AwsError ? error : internal(error, options.service);
    send(response, options.contentType, {
      status: known.status,
      headers: { "x-amzn-errortype": known.code, ...(known.status === 413 ? { connection: "close" } : {}) },
      body: JSON.stringify({ __type: known.code, ...known.more, Message: known.message }),
    });
  }
}

/**
 * Whether the request is signed with a key that nobody was given here. It stands for the person at this machine, whose
 * own tools sign with whatever key they have; only roles are held to their policies. A web page cannot send this header
 * without asking first, and these endpoints answer no preflight.
 */
function isOwnKey(authorization: string | undefined, iam: Iam): boolean {
  const [, key] = /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\//.exec(authorization ?? "") ?? [];
  return key !== undefined && iam.secretOf(key) === undefined;
}

function send(response: ServerResponse, contentType: string, { status, headers, body }: AwsAnswer): void {
  response.writeHead(status, {
    "content-type": contentType,
    "content-length": Buffer.byteLength(body),
    "x-amzn-requestid": randomUUID(),
    ...headers,
  });
  response.end(body);
}

/** A fault of this program, not of the caller: the cause goes to the terminal, not to the caller. */
function internal(error: unknown, service: string): AwsError {
  console.error(`The local ${service} endpoint failed:`, error);
  return new AwsError("InternalServiceError", 500, "An error occurred on the server side.");
}

async function readBody(request: IncomingMessage, maxBody: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= maxBody) chunks.push(chunk);
    else chunks.length = 0;
  }
  if (size > maxBody) {
    const message = `Request must be smaller than ${maxBody} bytes for this operation`;
    throw new AwsError("RequestTooLargeException", 413, message, { Type: "User" });
  }
  return Buffer.concat(chunks);
}
