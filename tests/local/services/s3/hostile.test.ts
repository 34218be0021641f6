import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ObjectStore } from "../../../../local/services/s3/objectStore";
import { hugeHeader, manyHeaders, raw, sendAnyBytes, shortLimits, slowHeaders, trickle } from "../../../support/wire";
import { exchange } from "./exchange";
import { oneRole, publicRead, put, register, registerBucket, testContext } from "./store";

const context = testContext();
const store = new ObjectStore(context, oneRole);
const brief = new ObjectStore(context, oneRole, shortLimits);
/** Anybody may write to this bucket. */
const open = "ecommerce-app-open";
let bucket: string;
let url: string;
let briefUrl: string;

beforeAll(async () => {
  bucket = await registerBucket(store);
  await put(store, bucket, "a", Buffer.from("picture"));
  url = await store.bucketUrl(bucket);
  await registerBucket(brief, open);
  const policy = publicRead(open);
  policy.Statement[0]!.Action = "s3:*";
  await register(brief, "aws:s3/bucketPolicy:BucketPolicy", open, { bucket: open, policy });
  briefUrl = await brief.bucketUrl(open);
});
afterAll(async () => {
  expect(context.reported).toEqual([]);
  await store.close();
  await brief.close();
  context.remove();
});

const picture = async (headers: Record<string, string> = {}) => exchange(url, `/${bucket}/a`, { headers });

describe("slow clients are cut off", () => {
  it.each(slowHeaders)("with %s", async (_, start, piece) => {
    const answer = await trickle(briefUrl, start, piece);
    expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n[\s\S]*<Code>RequestTimeout<\/Code>/);
  });

  it("with an endless body, of which nothing is stored", async () => {
    const request = `PUT /${open}/slow HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n`;
    expect(await trickle(briefUrl, request, "x")).toMatch(/^HTTP\/1\.1 408 /);
    await expect.poll(() => readdirSync(join(context.directory, "objects", open))).toEqual([]);
  });

  it("with an endless body, even if the answer did not wait for it", async () => {
    const request = `PUT /elsewhere/slow HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n`;
    expect(await trickle(briefUrl, request, "x")).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
  });
});

it("huge headers are refused, and the next request is answered", async () => {
  for (const request of [hugeHeader, manyHeaders]) {
    const answer = await raw(url, request, 2000);
    expect(answer).toMatch(/^HTTP\/1\.1 431 [\s\S]*<Code>RequestHeaderFieldsTooLarge<\/Code>/);
  }
  expect((await picture()).text).toBe("picture");
});

it("another host name that leads to this machine is refused", async () => {
  // A page of that name would have the same origin (DNS rebinding).
  for (const host of ["evil.example", `${bucket}.evil.example`, "<evil>&"]) {
    const reply = await picture({ host });
    expect([reply.status, reply.headers["content-type"]]).toEqual([403, "application/xml"]);
    expect(reply.text).toContain("<Code>AccessDenied</Code>");
    expect(reply.text).not.toContain("<evil>");
  }
  expect(await raw(url, `GET /${bucket}/a HTTP/1.1\r\nHost:\r\n\r\n`)).toMatch(/^HTTP\/1\.1 403 /);
  expect(await raw(url, `GET /${bucket}/a HTTP/1.0\r\n\r\n`)).toMatch(/^HTTP\/1\.1 403 /);
  const { port } = new URL(url);
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`]) {
    expect((await picture({ host, origin: "https://shop.example" })).text).toBe("picture");
  }
});

it("any bytes: an expected status, and the next request is served", async () => {
  const lines = [
    `GET /${bucket}/a HTTP/1.1\r\n`,
    `PUT /${bucket}/../b HTTP/1.1\r\nHost: 127.0.0.1\r\n`,
    "Host: 127.0.0.1\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Range: bytes=1-0,-\r\n",
    "Expect: 100-continue\r\n",
  ];
  await sendAnyBytes(url, lines, [100, 200, 206, 400, 403, 404, 408, 411, 416, 417, 431]);
  expect((await picture()).text).toBe("picture");
});
