import { randomUUID } from "node:crypto";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { BodyTooLong, isGone, listen, readBody, stop, type TimeLimits } from "../../../cli/http";
import type { Iam } from "../iam/iam";
import { AwsError } from "./awsError";
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
  /** How long callers may take, @default the usual */
  readonly limits?: TimeLimits;
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
   * @throws CommandError where the port is taken.
   */
  static async start(options: AwsServerOptions, answer: (call: AwsCall) => Promise<AwsAnswer>): Promise<AwsServer> {
    const { port, service: use, limits } = options;
    const refusal = (status: number, message: string) => ({
      type: options.contentType,
      text: bodyOf(new AwsError(status === 403 ? "AccessDeniedException" : "BadRequestException", status, message)),
    });
    const server = await listen({ port, use, limits, refusal }, (request, response) =>
      respond(options, answer, request, response),
    );
    return new AwsServer(server, (server.address() as AddressInfo).port);
  }

  /** Ends open connections too; safe to call twice. */
  async close(): Promise<void> {
    await stop(this.#server);
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
    if (headers.origin !== undefined) throw fromPage(headers.origin);
    const body = await readBody(request, options.maxBody);
    const { service, region, iam } = options;
    const now = options.now?.() ?? new Date();
    const accessKeyId = isOwnKey(headers.authorization, iam)
      ? iam.administrator.accessKeyId
      : verifySignature({ method, url, headers, body }, { service, region, now, secretOf: (key) => iam.secretOf(key) });
    send(response, options.contentType, await answer({ method, url, headers, body, accessKeyId }));
  } catch (error) {
    if (isGone(request)) return;
    const known = error instanceof AwsError ? error : unknownError(error, options);
    const headers = { "x-amzn-errortype": known.code };
    send(response, options.contentType, { status: known.status, headers, body: bodyOf(known) });
  }
}

/**
 * Whether the request is signed with a key that nobody was given here. It stands for the person at this machine, whose
 * own tools sign with whatever key they have; only roles are held to their policies. No web page comes this far.
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

/**
 * Browsers say from which page a request comes wherever it could do harm: with all but plain reads, and across origins.
 * SDKs, the CLI and curl send no such header.
 */
function fromPage(origin: string): AwsError {
  const message = `The request comes from a web page of ${origin}; allowed: the AWS SDK, the CLI and other programs.`;
  return new AwsError("AccessDeniedException", 403, message);
}

function bodyOf(error: AwsError): string {
  return JSON.stringify({ __type: error.code, ...error.more, Message: error.message });
}

function unknownError(error: unknown, { service, maxBody }: AwsServerOptions): AwsError {
  if (error instanceof BodyTooLong) {
    const message = `Request must be smaller than ${maxBody} bytes for this operation`;
    return new AwsError("RequestTooLargeException", 413, message, { Type: "User" });
  }
  // A fault of this program, not of the caller: the cause goes to the terminal, not to the caller.
  console.error(`The local ${service} endpoint failed:`, error);
  return new AwsError("InternalServiceError", 500, "An error occurred on the server side.");
}
