import { randomBytes } from "node:crypto";
import type { Answer } from "./serve";

/** An error of S3; `errorAnswer` makes S3's XML from it. */
export class S3Error extends Error {
  override readonly name = "S3Error";

  /**
   * @param code for example `NoSuchKey`
   * @param details further elements of the XML, for example `{ Key: "a.jpg" }`
   * @param headers further headers of the answer
   */
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: Readonly<Record<string, string>> = {},
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

export const accessDenied = () => new S3Error(403, "AccessDenied", "Access Denied");

export const notImplemented = (details: Record<string, string>) =>
  new S3Error(
    501,
    "NotImplemented",
    "A header or operation you requested implies functionality that is not implemented",
    details,
  );

/** The headers that every answer of S3 carries. */
export function standardHeaders(): Record<string, string> {
  return {
    server: "AmazonS3",
    "x-amz-request-id": randomBytes(8).toString("hex").toUpperCase(),
    "x-amz-id-2": randomBytes(48).toString("base64"),
  };
}

/**
 * An error as S3 sends it.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
export function errorAnswer(error: S3Error): Answer {
  const standard = standardHeaders();
  const elements = {
    Code: error.code,
    Message: error.message,
    ...error.details,
    RequestId: standard["x-amz-request-id"]!,
    HostId: standard["x-amz-id-2"]!,
  };
  const inner = Object.entries(elements).map(([name, value]) => `<${name}>${escapeXml(value)}</${name}>`);
  const body = Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n<Error>${inner.join("")}</Error>`);
  return {
    status: error.status,
    headers: {
      ...standard,
      ...error.headers,
      "content-type": "application/xml",
      "content-length": String(body.length),
    },
    body,
  };
}

/** Escapes text for an XML element. Control characters, which a key may contain, become character references. */
function escapeXml(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these characters must be replaced
  return value.replace(/[&<>"'\u0000-\u001f\u007f]/g, (c) => `&#${c.charCodeAt(0)};`);
}
