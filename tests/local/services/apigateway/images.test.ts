import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mediaTypes } from "../../../support/mediaTypes";
import { exchange } from "../s3/exchange";
import { bucket, startDocumented } from "./documentedApi";

type Running = Awaited<ReturnType<typeof startDocumented>>;
let api: Running;
let token: string;

beforeAll(async () => {
  api = await startDocumented();
  token = api.users.access();
});
afterAll(async () => {
  await api.close();
  api.context.remove();
});

const jpeg = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), randomBytes(200_000), Buffer.from([0xff, 0xd9])]);
const png = Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), randomBytes(100_000)]);

const call = (method: string, key: string, headers: http.OutgoingHttpHeaders = {}, body?: Buffer | string) =>
  exchange(api.url, `/dev/${bucket}/${key}`, { method, headers: { authorization: token, ...headers }, body });
const partFiles = () =>
  readdirSync(join(api.context.directory, "objects", bucket)).filter((name) => name.endsWith(".part"));

describe("uploads and downloads keep every byte", () => {
  const limit = 10 * 1024 * 1024;
  it.each([
    ["a JPEG", "image/jpeg", jpeg],
    ["a PNG", "image/png", png],
    ["an empty file", "image/png", Buffer.alloc(0)],
    ["10 MB minus one byte", "image/jpeg", randomBytes(limit - 1)],
    ["exactly 10 MB", "image/jpeg", randomBytes(limit)],
  ])("%s", async (name, type, bytes) => {
    const key = encodeURIComponent(name);
    const stored = await call("PUT", key, { "content-type": type }, bytes);
    expect(stored).toMatchObject({ status: 200, text: "" });
    const back = await call("GET", key, { accept: type });
    expect(back.status).toBe(200);
    expect(back.headers["content-type"]).toBe(type);
    expect(back.body.equals(bytes)).toBe(true);
    const fromBucket = await exchange(api.bucketUrl, `/${bucket}/${key}`);
    expect(fromBucket.headers["content-type"]).toBe(type);
    expect(fromBucket.body.equals(bytes)).toBe(true);
  });

  it.each([undefined, "*/*", "image/png", "image/webp,image/*", "text/html,image/png", "application/json"])(
    "with any Accept header: %s",
    async (accept) => {
      await call("PUT", "accepted.png", { "content-type": "image/png" }, png);
      const back = await call("GET", "accepted.png", accept === undefined ? {} : { accept });
      expect(back.body.equals(png)).toBe(true);
    },
  );

  it("of 50 simultaneous uploads to different keys", async () => {
    const bodies = Array.from({ length: 50 }, (_, i) => randomBytes(50_000 + i));
    const replies = await Promise.all(
      bodies.map((body, i) => call("PUT", `many-${i}.png`, { "content-type": "image/png" }, body)),
    );
    expect(replies.map(({ status }) => status)).toEqual(bodies.map(() => 200));
    for (const [i, body] of bodies.entries()) {
      expect((await call("GET", `many-${i}.png`)).body.equals(body)).toBe(true);
    }
  });

  it("of one of 50 simultaneous uploads to the same key", async () => {
    const bodies = Array.from({ length: 50 }, (_, i) => Buffer.alloc(100_000, i));
    await Promise.all(bodies.map((body) => call("PUT", "same.png", { "content-type": "image/png" }, body)));
    const { body } = await call("GET", "same.png");
    expect(bodies.some((one) => one.equals(body))).toBe(true);
    expect(partFiles()).toEqual([]);
  });

  it("of any upload with any Content-Type, requested with any Accept", async () => {
    const token68 = fc.stringMatching(/^[A-Za-z0-9!#$&^_.+-]{1,20}$/);
    const mediaType = fc.oneof(
      fc.constantFrom(...mediaTypes),
      fc.tuple(token68, token68).map(([type, subtype]) => `${type}/${subtype}`),
      fc.tuple(fc.constantFrom(...mediaTypes), token68).map(([type, value]) => `${type}; charset=${value}`),
      fc.stringMatching(/^[\x21-\x7e]{1,30}$/),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 500 }),
        fc.option(mediaType, { nil: undefined }),
        fc.option(mediaType, { nil: undefined }),
        async (bytes, type, accept) => {
          const sent = Buffer.from(bytes);
          const header = type === undefined ? {} : { "content-type": type };
          expect((await call("PUT", "any", header, sent)).status).toBe(200);
          const replies = [
            await call("GET", "any", accept === undefined ? {} : { accept }),
            await exchange(api.bucketUrl, `/${bucket}/any`),
          ];
          for (const { status, headers, body } of replies) {
            // Without a Content-Type from the client API Gateway sends application/json.
            expect([status, headers["content-type"]]).toEqual([200, type ?? "application/json"]);
            expect(body.equals(sent)).toBe(true);
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe("keys", () => {
  it.each(["with space.png", "a/b/c.png", "100%25.png", "..", "../up", "日本語.png", "+plus", "{key}", "a\r\nX: y"])(
    "%j arrives as it is",
    async (key) => {
      const body = randomBytes(20);
      expect((await call("PUT", encodeURIComponent(key), { "content-type": "image/png" }, body)).status).toBe(200);
      expect((await call("GET", encodeURIComponent(key))).body.equals(body)).toBe(true);
      const stored = await api.store.request({
        method: "GET",
        bucket,
        key,
        headers: {},
        principal: { kind: "anonymous" },
      });
      expect(stored.status).toBe(200);
      (stored.body as any).destroy();
    },
  );

  it("%2F is a slash in the key, a plain slash leads to another route", async () => {
    await call("PUT", "folder%2Fa.png", { "content-type": "image/png" }, png);
    expect((await exchange(api.bucketUrl, `/${bucket}/folder/a.png`)).body.equals(png)).toBe(true);
    expect((await call("GET", "folder/a.png")).text).toBe('{"message":"Missing Authentication Token"}');
  });

  it("%252F is decoded once", async () => {
    await call("PUT", "once%252Fa", { "content-type": "image/png" }, png);
    expect((await exchange(api.bucketUrl, `/${bucket}/once%252Fa`)).body.equals(png)).toBe(true);
  });

  it("a key of more than 1,024 bytes gets S3's error 400", async () => {
    const reply = await call("PUT", "k".repeat(1025), { "content-type": "image/png" }, png);
    expect(reply.status).toBe(400);
    expect(reply.text).toContain("<Code>KeyTooLongError</Code>");
  });

  it.each(["%", "%zz", "%ff", "%c3%28"])("%s is a bad request", async (key) => {
    expect(await call("GET", key)).toMatchObject({ status: 400, text: '{"message":"Bad Request"}' });
  });
});

describe("errors of S3 keep their status and body", () => {
  it("a missing key is 403 for a role that may not list the bucket", async () => {
    const reply = await call("GET", "missing.png", { accept: "image/png" });
    expect(reply.status).toBe(403);
    expect(reply.headers["content-type"]).toBe("application/xml");
    expect(reply.headers["access-control-allow-origin"]).toBe("*");
    expect(reply.text).toContain("<Code>AccessDenied</Code>");
  });

  it("a bucket that the role may not use is 403", async () => {
    const path = "/dev/another-bucket/a.png";
    const headers = { authorization: token, "content-type": "image/png" };
    const reply = await exchange(api.url, path, { method: "PUT", headers, body: png });
    expect(reply.status).toBe(403);
    expect(reply.text).toContain("<Code>AccessDenied</Code>");
  });
});

describe("limits", () => {
  const tooMuch = Buffer.alloc(10 * 1024 * 1024 + 1);
  it("one byte more than 10 MB is 413, with and without Content-Length", async () => {
    for (const headers of [{}, { "transfer-encoding": "chunked" }]) {
      const reply = await call("PUT", "large.png", { "content-type": "image/png", ...headers }, tooMuch);
      expect(reply).toMatchObject({ status: 413, text: '{"message":"Request Too Long"}' });
      // API Gateway does not let an API customize this one response, also not by DEFAULT_4XX.
      expect(reply.headers).not.toHaveProperty("access-control-allow-origin");
    }
    expect((await call("GET", "large.png")).status).toBe(403);
    expect(partFiles()).toEqual([]);
  });

  it("a large body is also 413 where the integration does not read it", async () => {
    expect((await call("OPTIONS", "large.png", {}, tooMuch)).status).toBe(413);
  });

  it("a body that is too large is read to its end, and the connection serves the next request", async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    agent.on("free", (socket) => ports.add(socket.localPort));
    const path = `/dev/${bucket}/large.png`;
    const headers = { authorization: token, "content-type": "image/png", "transfer-encoding": "chunked" };
    const body = Buffer.alloc(40 * 1024 * 1024);
    const refused = await exchange(api.url, path, { method: "PUT", headers, body, agent });
    expect(refused.status).toBe(413);
    expect((await exchange(api.url, path, { method: "OPTIONS", agent })).status).toBe(200);
    agent.destroy();
    expect(ports.size).toBe(1);
  });

  it("an interrupted upload leaves no file and no object", async () => {
    await new Promise<void>((resolve) => {
      const headers = { authorization: token, "content-type": "image/png", "content-length": 1_000_000 };
      const path = `/dev/${bucket}/aborted.png`;
      const request = http.request({ port: new URL(api.url).port, method: "PUT", path, headers });
      request.on("error", () => {});
      request.on("close", () => resolve());
      request.write(Buffer.alloc(300_000));
      setTimeout(() => request.destroy(), 100);
    });
    await expect.poll(partFiles).toEqual([]);
    expect((await call("GET", "aborted.png")).status).toBe(403);
    expect(api.context.reported).toEqual(expect.not.arrayContaining([expect.stringContaining("aborted")]));
  });

  it("headers of more than 10,240 bytes are refused, and the next request is served", async () => {
    const reply = await call("GET", "x", { "x-large": "x".repeat(11_000) });
    expect(reply.status).toBe(431);
    expect((await call("OPTIONS", "x")).status).toBe(200);
  });

  it("a request that is not HTTP is refused", async () => {
    const answer = await new Promise<string>((resolve) => {
      const socket = net.connect(Number(new URL(api.url).port), "127.0.0.1", () => socket.write("NONSENSE\r\n\r\n"));
      let text = "";
      socket.on("data", (chunk) => {
        text += chunk;
      });
      socket.on("close", () => resolve(text));
    });
    expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request/);
  });
});

describe("CORS", () => {
  it.each([`/dev/${bucket}`, `/dev/${bucket}/a.png`, `/dev/${bucket}/`])("preflight of %s", async (path) => {
    const reply = await exchange(api.url, path, {
      method: "OPTIONS",
      headers: { origin: "http://localhost:1234", "access-control-request-method": "PUT" },
    });
    expect(reply.status).toBe(200);
    expect(reply.headers).toMatchObject({
      "access-control-allow-origin": "*",
      "access-control-allow-methods": "GET,PUT,OPTIONS",
      "access-control-allow-headers": "Authorization,Content-Type",
    });
  });

  it("a mock with a template for JSON refuses other types", async () => {
    const headers = { "content-type": "text/plain" };
    const reply = await exchange(api.url, `/dev/${bucket}`, { method: "OPTIONS", headers });
    expect(reply).toMatchObject({ status: 415, text: '{"message":"Unsupported Media Type"}' });
  });
});

describe("a route that is not deployed is refused", () => {
  it.each([
    ["GET", "/dev", 403, "Missing Authentication Token"],
    ["GET", `/dev/${bucket}`, 403, "Missing Authentication Token"],
    ["DELETE", `/dev/${bucket}/a`, 403, "Missing Authentication Token"],
    ["HEAD", `/dev/${bucket}/a`, 403, ""],
    ["GET", `/dev/${bucket}/a/b`, 403, "Missing Authentication Token"],
    ["GET", `/dev//a`, 403, "Missing Authentication Token"],
    ["GET", "/prod/a/b", 403, "Forbidden"],
    ["GET", "/", 403, "Forbidden"],
    ["OPTIONS", "*", 403, "Forbidden"],
  ])("%s %s", async (method, path, status, message) => {
    const reply = await exchange(api.url, path, { method, headers: { authorization: token } });
    expect(reply.status).toBe(status);
    expect(reply.text).toContain(message);
    expect(reply.headers["x-amzn-requestid"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(reply.headers["x-amz-apigw-id"]).toBeTruthy();
    expect(reply.headers["x-amzn-errortype"]).toMatch(/Exception$/);
  });
});
