import { once } from "node:events";
import { readdirSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hugeHeader, manyHeaders, raw, sendAnyBytes, shortLimits, slowHeaders, trickle } from "../../../support/wire";
import { exchange } from "../s3/exchange";
import { bucket, startDocumented } from "./documentedApi";

let api: Awaited<ReturnType<typeof startDocumented>>;
let token: string;
beforeAll(async () => {
  api = await startDocumented();
  token = api.users.access();
});
afterAll(async () => {
  // No request in this file may fail because of an error in the gateway itself.
  expect(api.context.reported.filter((line) => line.includes("request failed"))).toEqual([]);
  await api.close();
  api.context.remove();
});

const put = (key: string, body = "x", headers: Record<string, string> = {}) =>
  exchange(api.url, `/dev/${bucket}/${key}`, {
    method: "PUT",
    headers: { authorization: token, "content-type": "image/png", ...headers },
    body,
  });

it("any path: an expected status, and no file outside the bucket", async () => {
  const objects = join(api.context.directory, "objects");
  const before = readdirSync(objects);
  const part = fc.oneof(
    fc.constantFrom("..", ".", "%2e%2e", "%2F", "%5c", "%00", "%", "%c0%af", "..%2f..%2fx", "{key}", "~", ";", ""),
    fc.string({ maxLength: 20 }).map(encodeURIComponent),
    fc.stringMatching(/^[\x21-\x7e]{1,20}$/).map((s) => s.replace(/[?#/]/g, "")),
  );
  const path = fc.array(part, { maxLength: 4 }).map((parts) => `/dev/${parts.join("/")}`);
  await fc.assert(
    fc.asyncProperty(path, fc.constantFrom("GET", "PUT", "OPTIONS", "DELETE"), async (where, method) => {
      const headers = { authorization: token, "content-type": "image/png" };
      const reply = await exchange(api.url, where, { method, headers, body: method === "PUT" ? "x" : undefined });
      // 415 is the mock of OPTIONS, which has a template for JSON only.
      expect([200, 400, 403, 404, 415]).toContain(reply.status);
    }),
    { numRuns: 300 },
  );
  expect(readdirSync(objects)).toEqual(before);
  expect(readdirSync(api.context.directory).sort()).toEqual(["gateway", "iam", "objects"]);
});

it("any header value: it adds no header to the answer", async () => {
  const value = fc.oneof(
    fc.stringMatching(/^[\x20-\x7e\x80-\xff]{0,100}$/),
    fc.constantFrom("a%0d%0aSet-Cookie: x", "image/png; charset=\u00ff", ",", "*/*", "x".repeat(5000)),
  );
  const name = fc.constantFrom(
    "content-type",
    "accept",
    "origin",
    "range",
    "if-match",
    "x-amz-acl",
    "x-http-method-override",
  );
  await fc.assert(
    fc.asyncProperty(name, value, async (header, text) => {
      const reply = await put("fuzzed.png", "x", { [header]: text });
      expect([200, 400]).toContain(reply.status);
      expect(reply.headers["set-cookie"]).toBeUndefined();
      expect(reply.headers["access-control-allow-origin"]).toBe("*");
    }),
    { numRuns: 200 },
  );
});

it("any bytes: an expected status, and the next request is served", async () => {
  const lines = ["GET / HTTP/1.1\r\n", "PUT /dev/a/b HTTP/1.1\r\nHost: 127.0.0.1\r\n"];
  await sendAnyBytes(api.url, lines, [400, 401, 403, 408, 431]);
  expect((await put("after.png")).status).toBe(200);
});

it("two lengths, or a length with chunks, are refused, so that no request is smuggled in another", async () => {
  const head = `PUT /dev/${bucket}/a HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ${token}\r\n`;
  expect(await raw(api.url, `${head}Content-Length: 1\r\nContent-Length: 5\r\n\r\nx`)).toMatch(/^HTTP\/1\.1 400 /);
  const both = `${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`;
  expect(await raw(api.url, both)).toMatch(/^HTTP\/1\.1 400 /);
});

it("a hundred slow clients do not delay another client", async () => {
  const port = Number(new URL(api.url).port);
  const slow = Array.from({ length: 100 }, (_, i) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.on("error", () => {});
    const head = `PUT /dev/${bucket}/slow-${i} HTTP/1.1\r\nHost: 127.0.0.1\r\n`;
    // Half of them stay in their headers, half in their bodies.
    socket.write(i % 2 ? head : `${head}Authorization: ${token}\r\nContent-Length: 1000\r\n\r\nx`);
    return socket;
  });
  await Promise.all(slow.map((socket) => once(socket, "connect")));
  expect((await put("quick.png")).status).toBe(200);
  // All slow clients are still connected: a request that waited for them would have waited until they were cut off.
  expect(slow.filter(({ destroyed, readableEnded }) => destroyed || readableEnded)).toEqual([]);
  for (const socket of slow) socket.destroy();
  const parts = () =>
    readdirSync(join(api.context.directory, "objects", bucket)).filter((name) => name.endsWith(".part"));
  await expect.poll(parts).toEqual([]);
});

describe("slow clients are cut off", () => {
  let brief: typeof api;
  beforeAll(async () => {
    brief = await startDocumented({ limits: shortLimits });
  });
  afterAll(async () => {
    await brief.close();
    brief.context.remove();
  });

  it.each(slowHeaders)("with %s", async (_, start, piece) => {
    expect(await trickle(brief.url, start, piece)).toMatch(/^HTTP\/1\.1 408 [\s\S]*{"message":"Request Timeout"}$/);
  });

  it("with an endless body, of which nothing is stored", async () => {
    const head = `PUT /dev/${bucket}/slow HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ${brief.users.access()}\r\n`;
    const lengths = ["Content-Length: 100000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"];
    for (const [i, piece] of ["x", "1\r\nx\r\n"].entries()) {
      expect(await trickle(brief.url, head + lengths[i], piece)).toMatch(/^HTTP\/1\.1 408 /);
    }
    await expect.poll(() => readdirSync(join(brief.context.directory, "objects", bucket))).toEqual([]);
    expect(brief.context.reported.filter((line) => line.includes("request failed"))).toEqual([]);
  });
});

it("huge headers are refused, and the next request is answered", async () => {
  for (const request of [hugeHeader, manyHeaders]) {
    expect(await raw(api.url, request, 2000)).toMatch(/^HTTP\/1\.1 431 /);
  }
  expect((await put("after.png")).status).toBe(200);
});

it("another host name that leads to this machine is refused", async () => {
  // A page of that name would have the same origin (DNS rebinding).
  for (const host of [
    "evil.example",
    "127.0.0.1.evil.example",
    "localhost.evil.example:80",
    "evil.example#127.0.0.1",
  ]) {
    const reply = await put("a.png", "x", { host });
    expect([reply.status, JSON.parse(reply.text).message]).toEqual([
      403,
      expect.stringContaining(JSON.stringify(host)),
    ]);
  }
  const { port } = new URL(api.url);
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, "localhost", "LOCALHOST"]) {
    // Pages of other origins may call the API: their Host header names this machine.
    expect((await put("a.png", "x", { host, origin: "https://shop.example" })).status).toBe(200);
  }
});

it("a refused upload is read to its end, so that the client sees the answer", async () => {
  const large = "x".repeat(5_000_000);
  const reply = await put("a.png", large, { authorization: "nobody" });
  expect(reply.status).toBe(401);
});

it("closing does not wait for clients that are still sending", async () => {
  const other = await startDocumented();
  const head = `PUT /dev/${bucket}/a HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ${other.users.access()}\r\n`;
  const answer = raw(other.url, `${head}Content-Type: image/png\r\nContent-Length: 10\r\n\r\nx`, 60_000);
  // This answer comes after the server has read the first request.
  expect((await exchange(other.url, `/dev/${bucket}/a`)).status).toBe(401);
  await other.close();
  await other.close();
  // The connection was cut off. A close that waited for the rest of the body would not end: the client sends no more.
  expect(await answer).toBe("");
  other.context.remove();
});
