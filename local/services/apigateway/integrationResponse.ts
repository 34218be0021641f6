import { Readable } from "node:stream";
import type { Answer } from "../s3/serve";
import { type Exchange, payloadLimit } from "./exchange";
import { GatewayError } from "./gatewayErrors";
import { selects } from "./integrationInputs";
import { collect } from "./integrations";
import { valueFor } from "./mapping";
import type { Integration, IntegrationResponse } from "./model";
import { convert, isText, responseConversion } from "./payloadConversion";

/** Makes the method response from the integration's reply. @throws GatewayError */
export async function makeResponse(exchange: Exchange): Promise<void> {
  const { api, integration, values } = exchange;
  const reply = exchange.reply!;
  const [status, response] = select(integration, reply.status);
  if (Number(reply.headers["content-length"] ?? 0) > payloadLimit) {
    throw misconfigured(`the integration's response is larger than ${payloadLimit} bytes`);
  }
  const headers = responseHeaders(exchange, response);
  const media = { contentType: reply.headers["content-type"], accept: values.header.accept };
  const conversion = responseConversion(media, api.binaryMediaTypes, response.contentHandling);
  const template = Object.values(response.responseTemplates)[0];
  const { body } = reply;
  if (template !== undefined) {
    if (body !== undefined && !isText(conversion)) {
      throw misconfigured("a response template needs text, and the payload is binary");
    }
    if (body instanceof Readable) body.destroy();
    exchange.answer = whole(status, headers, Buffer.from(template));
  } else if (body instanceof Readable && conversion === "pass") {
    exchange.answer = {
      status,
      headers: { ...headers, "content-length": reply.headers["content-length"]! },
      body,
    };
  } else {
    const bytes = body instanceof Readable ? await collect(body) : (body ?? Buffer.alloc(0));
    exchange.answer = whole(status, headers, convert(bytes, conversion));
  }
}

/** The integration response whose pattern matches the complete status; otherwise the default one. */
function select(integration: Integration, status: number): [number, IntegrationResponse] {
  const all = Object.entries(integration.responses);
  const matching = all.find(([, { selectionPattern: pattern }]) => pattern !== undefined && selects(pattern, status));
  const chosen = matching ?? all.find(([, { selectionPattern }]) => selectionPattern === undefined);
  if (chosen) return [Number(chosen[0]), chosen[1]];
  throw misconfigured(`no integration response matches the status ${status}, and there is no default`);
}

function responseHeaders({ values, reply }: Exchange, response: IntegrationResponse): Record<string, string> {
  const type = Object.keys(response.responseTemplates)[0] ?? "application/json";
  const headers: Record<string, string> = { "content-type": type };
  for (const [target, expression] of Object.entries(response.responseParameters)) {
    const value = valueFor(expression, { ...values, response: reply!.headers });
    if (value !== undefined) headers[target.replace("method.response.header.", "").toLowerCase()] = value;
  }
  return headers;
}

function whole(status: number, headers: Record<string, string>, body: Buffer): Answer {
  return { status, headers: { ...headers, "content-length": String(body.length) }, body };
}

const misconfigured = (reason: string) => new GatewayError("API_CONFIGURATION_ERROR", undefined, reason);
