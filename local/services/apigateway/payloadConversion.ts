import { GatewayError } from "./gatewayErrors";
import type { ContentHandling } from "./model";

/** The conversion of a payload: none, to UTF-8 text, from Base64, or to Base64. */
export type Conversion = "pass" | "text" | "decode" | "encode";

/** Whether a conversion results in text, which a template needs. */
export const isText = (conversion: Conversion): boolean => conversion === "text" || conversion === "encode";

/**
 * What API Gateway does to a request's payload on its way to the integration.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html
 */
export function requestConversion(
  contentType: string | undefined,
  binaryMediaTypes: readonly string[],
  handling: ContentHandling,
): Conversion {
  if (isBinary(contentType ?? "application/json", binaryMediaTypes)) {
    return handling === "CONVERT_TO_TEXT" ? "encode" : "pass";
  }
  return handling === "CONVERT_TO_BINARY" ? "decode" : "text";
}

/**
 * What API Gateway does to an integration's payload on its way to the client: the second table of the same page. Of
 * `Accept` only the first media type counts.
 */
export function responseConversion(
  response: { readonly contentType: string | undefined; readonly accept: string | undefined },
  binaryMediaTypes: readonly string[],
  handling: ContentHandling,
): Conversion {
  const binary = isBinary(response.contentType, binaryMediaTypes);
  const acceptsBinary = isBinary(response.accept?.split(",")[0], binaryMediaTypes);
  if (handling === "CONVERT_TO_BINARY") return binary ? "pass" : "decode";
  if (handling === "CONVERT_TO_TEXT") return binary ? "encode" : "text";
  if (binary) return acceptsBinary ? "pass" : "encode";
  return acceptsBinary ? "decode" : "text";
}

/** Whether a media type (parameters do not count) is one of the API's binary ones; `*` matches any type or subtype. */
function isBinary(mediaType: string | undefined, binaryMediaTypes: readonly string[]): boolean {
  const type = mediaTypeOf(mediaType);
  if (type === "") return binaryMediaTypes.includes("*/*");
  return binaryMediaTypes.some((listed) => {
    const pattern = listed.toLowerCase();
    return pattern === "*/*" || pattern === type || (pattern.endsWith("/*") && type.startsWith(pattern.slice(0, -1)));
  });
}

/** `image/jpeg` of `Image/JPEG; q=0.8` */
export function mediaTypeOf(header: string | undefined): string {
  return (header ?? "").split(";")[0]!.trim().toLowerCase();
}

/**
 * Applies a conversion. Text is read as UTF-8, so invalid bytes become U+FFFD; API Gateway does the same to pictures
 * whose type is not listed.
 * @throws GatewayError 500 if a payload to be decoded is not Base64
 */
export function convert(payload: Buffer, conversion: Conversion): Buffer {
  if (conversion === "pass") return payload;
  if (conversion === "encode") return Buffer.from(payload.toString("base64"));
  const text = payload.toString("utf8");
  if (conversion === "text") return Buffer.from(text);
  if (!isBase64(text)) {
    throw new GatewayError("API_CONFIGURATION_ERROR", undefined, "a payload to be converted to binary is not Base64");
  }
  return Buffer.from(text, "base64");
}

/**
 * Base64 of RFC 4648, without blanks: API Gateway answers 500 to "this is a UTF8 text typed object", in which only the
 * blanks are outside the alphabet (recorded: localstack/localstack, `test_apigateway_s3.snapshot.json`). Text without
 * its padding counts as Base64, as for Java's decoder; it is not known whether it does for API Gateway.
 */
function isBase64(text: string): boolean {
  const [, digits = "", padding = ""] = /^([A-Za-z0-9+/]*)(={0,2})$/.exec(text) ?? [];
  if (digits.length + padding.length !== text.length || digits.length % 4 === 1) return false;
  return padding === "" || (digits.length + padding.length) % 4 === 0;
}
