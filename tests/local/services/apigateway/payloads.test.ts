/**
 * How payloads are converted, row for row as AWS documents it, and as it was recorded from AWS in
 * github.com/localstack/localstack, `tests/aws/services/apigateway/test_apigateway_s3.snapshot.json`.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html
 */
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exchange } from "../s3/exchange";
import { put } from "../s3/store";
import { api, end, message, send, set, start } from "./configuredApi";
import { bucket } from "./documentedApi";

type Conversion = "bytes" | "text" | "encoded" | "decoded";
type Handling = "none" | "CONVERT_TO_BINARY" | "CONVERT_TO_TEXT";

/** Bytes that are not UTF-8, their Base64, and text in which only the blanks are not Base64. */
const raw = gzipSync("compressed, so it is not UTF-8");
const payloads = { raw, encoded: Buffer.from(raw.toString("base64")), text: Buffer.from("this is a UTF8 text object") };

/** The converted payload; undefined if it cannot be converted, which is 500. */
function converted(payload: Buffer, conversion: Conversion): Buffer | undefined {
  if (conversion === "bytes") return payload;
  if (conversion === "text") return Buffer.from(payload.toString("utf8"));
  if (conversion === "encoded") return Buffer.from(payload.toString("base64"));
  return payload === payloads.encoded ? raw : undefined;
}

interface Row {
  readonly binaryMediaTypes: readonly string[];
  readonly handling: Handling;
  /** Content-Type of the request → what S3 gets. */
  readonly requests: Readonly<Record<string, Conversion>>;
  /** Content-Type of the object → `Accept` of the request → what the client gets. */
  readonly responses: Readonly<Record<string, Readonly<Record<string, Conversion>>>>;
}

const all = (conversion: Conversion) => ({ "image/png": conversion, "text/plain": conversion, "": conversion });
const row = (
  binaryMediaTypes: readonly string[],
  handling: Handling,
  requests: Row["requests"],
  responses: Row["responses"],
): Row => ({ binaryMediaTypes, handling, requests, responses });
const whatever = (conversion: Conversion) => ({ "image/png": all(conversion), "text/plain": all(conversion) });
const png = ["image/png"];
const any = ["image/png", "*/*"];

const matrix: readonly Row[] = [
  row([], "none", all("text"), whatever("text")),
  row([], "CONVERT_TO_BINARY", all("decoded"), whatever("decoded")),
  row([], "CONVERT_TO_TEXT", all("text"), whatever("text")),
  row(
    png,
    "none",
    { "image/png": "bytes", "text/plain": "text", "": "text" },
    {
      "image/png": { "image/png": "bytes", "text/plain": "encoded", "": "encoded" },
      "text/plain": { "image/png": "decoded", "text/plain": "text", "": "text" },
    },
  ),
  row(
    png,
    "CONVERT_TO_BINARY",
    { "image/png": "bytes", "text/plain": "decoded", "": "decoded" },
    { "image/png": all("bytes"), "text/plain": all("decoded") },
  ),
  row(
    png,
    "CONVERT_TO_TEXT",
    { "image/png": "encoded", "text/plain": "text", "": "text" },
    { "image/png": all("encoded"), "text/plain": all("text") },
  ),
  row(any, "none", all("bytes"), whatever("bytes")),
  row(any, "CONVERT_TO_BINARY", all("bytes"), whatever("bytes")),
  row(any, "CONVERT_TO_TEXT", all("encoded"), whatever("encoded")),
];

describe.each(matrix)("binary $binaryMediaTypes, contentHandling $handling", (known) => {
  const contentHandling = known.handling === "none" ? undefined : known.handling;
  beforeAll(() =>
    start({
      "RestApi api": set({ binaryMediaTypes: known.binaryMediaTypes }),
      "Integration PUT": set({ contentHandling }),
      "IntegrationResponse GET-200": set({ contentHandling }),
    }),
  );
  afterAll(end);

  const named = (name: string, type: string) => (type === "" ? {} : { [name]: type });
  const each = Object.entries(payloads);

  it.each(Object.entries(known.requests))("a request of type %j reaches S3 as %s", async (type, conversion) => {
    for (const [name, payload] of each) {
      const key = `${name}-${type.replace("/", "-")}`;
      const reply = await send("PUT", key, named("content-type", type), payload);
      const stored = await exchange(api.bucketUrl, `/${bucket}/${key}`);
      const expected = converted(payload, conversion);
      if (expected === undefined) {
        expect(message(reply), name).toEqual([500, "Internal server error"]);
        expect(stored.status, `${name}: nothing is stored`).toBe(403);
      } else {
        expect([reply.status, stored.status], name).toEqual([200, 200]);
        expect(stored.body.equals(expected), name).toBe(true);
      }
    }
  });

  const cells = Object.entries(known.responses).flatMap(([type, accepts]) =>
    Object.entries(accepts).map(([accept, conversion]) => [type, accept, conversion] as const),
  );
  it.each(cells)("an object of type %j reaches a client that accepts %j as %s", async (type, accept, conversion) => {
    for (const [name, payload] of each) {
      await put(api.store, bucket, name, payload, { "content-type": type });
      const reply = await send("GET", name, named("accept", accept));
      const expected = converted(payload, conversion);
      if (expected === undefined) expect(message(reply), name).toEqual([500, "Internal server error"]);
      else expect([reply.status, reply.body.equals(expected)], name).toEqual([200, true]);
    }
  });
});

describe("templates need text", () => {
  const preflight = (headers: Record<string, string> = {}) =>
    exchange(api.url, `/dev/${bucket}`, { method: "OPTIONS", headers });
  it("a mock of an API whose types are all binary is 500, unless its integration converts to text", async () => {
    await start({ "Integration options-folder": set({ contentHandling: undefined }) });
    expect(message(await preflight())).toEqual([500, "Internal server error"]);
    expect(api.context.reported.join()).toContain("Unable to transform request");
    // The integration response converts nothing that the integration has refused.
    await end();
    await start({
      "Integration options-folder": set({ contentHandling: undefined }),
      "IntegrationResponse options-folder": set({ contentHandling: "CONVERT_TO_TEXT" }),
    });
    expect((await preflight()).status).toBe(500);
    await end();
    await start({});
    expect((await preflight()).status).toBe(200);
    await end();
  });

  it("a response template for a binary payload is 500, unless the response converts to text", async () => {
    const responseTemplates = { "application/json": '{"is":"there"}' };
    await start({ "IntegrationResponse GET-200": set({ responseTemplates }) });
    await put(api.store, bucket, "a", raw, { "content-type": "image/png" });
    expect(message(await send("GET", "a"))).toEqual([500, "Internal server error"]);
    await end();
    await start({ "IntegrationResponse GET-200": set({ responseTemplates, contentHandling: "CONVERT_TO_TEXT" }) });
    await put(api.store, bucket, "a", raw, { "content-type": "image/png" });
    expect((await send("GET", "a")).text).toBe('{"is":"there"}');
    await end();
  });
});
