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
  /** 0 for any free port. */
  readonly port: number;
  readonly iam: Iam;
  /** Content type of answers. */
  readonly contentType: string;
  /** Longest request body in bytes; a longer one is answered with 413. */
  readonly maxBody: number;
  /** @default the machine's clock */
  readonly now?: () => Date;
  /** How long callers may take. @default the limits of `cli/http.ts` */
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
   * @param answer handles each verified call; an AwsError that it throws is sent to the caller, others become a 500.
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
    if (headers.origin !== undefined) throw webPageRefused(headers.origin);
    const body = await readBody(request, options.maxBody);
    const { service, region, iam } = options;
    const now = options.now?.() ?? new Date();
    const accessKeyId = isUnknownKey(headers.authorization, iam)
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
 * Whether the request is signed with an access key that this machine did not issue. Such a request counts as the
 * administrator's, because the tools of this machine's user sign with any key. Policies restrict roles only. A request
 * of a web page is refused before this check.
 */
function isUnknownKey(authorization: string | undefined, iam: Iam): boolean {
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
 * The error for a request of a web page. Browsers send the header `origin` with requests across origins and with all
 * requests other than plain reads. SDKs, the CLI and curl do not send it.
 */
function webPageRefused(origin: string): AwsError {
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
  // An error of this program, not of the caller: the cause is printed on the terminal and not sent to the caller.
  console.error(`The local ${service} endpoint failed:`, error);
  return new AwsError("InternalServiceError", 500, "An error occurred on the server side.");
}
