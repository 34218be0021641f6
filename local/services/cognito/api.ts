import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { BodyTooLong, isGone, readBody, sendJson } from "../../../cli/http";
import { AwsError, jsonBody } from "../aws/awsError";
import { refusal } from "./errors";
import { perform } from "./operations";
import type { CognitoState } from "./state";

const service = "AWSCognitoIdentityProviderService";
const longestBody = 256 * 1024;

/** Browsers may call Cognito's API and read its keys from any page. */
const anyOrigin = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date",
};
const preflight = {
  ...anyOrigin,
  "access-control-allow-methods": "GET, POST",
  "access-control-allow-headers": "*, Authorization",
  "access-control-max-age": "172800",
};

/**
 * Answers one request to the Cognito endpoint: an operation (`POST /`), a pool's keys and discovery document, or the
 * mailbox.
 * @param discovery the discovery document of a pool, undefined for an unknown pool
 */
export async function answer(
  state: CognitoState,
  discovery: (poolId: string) => object | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? "/").split("?")[0]!;
  if (request.method === "OPTIONS") {
    response.writeHead(200, preflight).end();
  } else if (request.method === "POST" && path === "/") {
    await answerOperation(state, request, response);
  } else if (request.method === "GET" && path === "/mailbox") {
    // Codes are for the user of this machine: without a CORS header, no web page in a browser here can read them.
    sendJson(response, 200, state.mailbox.list(), { "cache-control": "no-store" }, 2);
  } else {
    const [, poolId = "", document] = /^\/([\w-]+)\/\.well-known\/(jwks\.json|openid-configuration)$/.exec(path) ?? [];
    const found = document && state.pools.has(poolId);
    if (request.method !== "GET" || !found) sendJson(response, 404, { message: "Not found" }, anyOrigin);
    else sendJson(response, 200, document === "jwks.json" ? state.tokens.key.jwks : discovery(poolId), anyOrigin);
  }
}

async function answerOperation(state: CognitoState, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const contentType = "application/x-amz-json-1.1";
  const headers = { ...anyOrigin, "content-type": contentType, "x-amzn-requestid": randomUUID() };
  try {
    const [prefix, name = ""] = String(request.headers["x-amz-target"] ?? "").split(".");
    // Any access key counts as the administrator's, except in a request of a web page.
    const { authorization = "", origin } = request.headers;
    const signed = origin === undefined && /^AWS4-HMAC-SHA256 Credential=\S+/.test(authorization);
    if (prefix !== service) throw refusal("UnknownOperationException", `X-Amz-Target must begin with ${service}.`);
    const input = jsonBody(await readBody(request, longestBody));
    sendJson(response, 200, await perform(state, name, input, signed), headers);
  } catch (error) {
    if (isGone(request)) return;
    const known = knownError(error);
    const body = { __type: known.code, message: known.message };
    sendJson(response, known.status, body, { ...headers, "x-amzn-errortype": known.code });
  }
}

function knownError(error: unknown): AwsError {
  if (error instanceof AwsError) return error;
  if (error instanceof BodyTooLong) {
    return new AwsError(
      "RequestEntityTooLargeException",
      413,
      `The body must not be longer than ${longestBody} bytes.`,
    );
  }
  // An error of this program, not of the caller: the cause is printed on the terminal.
  console.error("The local Cognito endpoint failed:", error);
  return new AwsError("InternalErrorException", 500, "Something went wrong.");
}
