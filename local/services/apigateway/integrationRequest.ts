import type { IncomingMessage } from "node:http";
import { bodyOf } from "../s3/serve";
import { type Exchange, payloadLimit } from "./exchange";
import { GatewayError } from "./gatewayErrors";
import { collect, type Payload, templateFor } from "./integrations";
import { type Conversion, convert, isText, requestConversion } from "./payloadConversion";

/** Sets the template and the payload of the integration request. @throws GatewayError */
export function convertRequest(exchange: Exchange): void {
  const { api, integration, values, request } = exchange;
  const contentType = values.header["content-type"];
  exchange.template = templateFor(integration, contentType);
  const conversion = requestConversion(contentType, api.binaryMediaTypes, integration.contentHandling);
  if (exchange.template !== undefined && !isText(conversion)) {
    // The first words are AWS's own. AWS does so also without a payload, as in a browser's preflight.
    throw new GatewayError(
      "API_CONFIGURATION_ERROR",
      undefined,
      "Unable to transform request: a template needs text, and the payload is binary; " +
        "set contentHandling CONVERT_TO_TEXT on the integration",
    );
  }
  exchange.payload = payloadOf(request, conversion);
}

/** The converted payload, never larger than the limit. */
function payloadOf(request: IncomingMessage, conversion: Conversion): Payload {
  const hasBody = request.headers["content-length"] !== undefined || request.headers["transfer-encoding"] !== undefined;
  let sent = () => {};
  const whenSent = new Promise<void>((resolve) => {
    sent = resolve;
  });
  if (!hasBody || Number(request.headers["content-length"]) === 0) sent();
  async function* limited() {
    let size = 0;
    for await (const chunk of bodyOf(request)) {
      size += chunk.length;
      if (size > payloadLimit) throw new GatewayError("REQUEST_TOO_LARGE");
      yield chunk;
    }
    sent();
  }
  async function* converted() {
    yield convert(await collect(limited()), conversion);
  }
  return { chunks: conversion === "pass" ? limited() : converted(), sent: whenSent };
}
