import { createHash, randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { ObjectStore } from "../../../../local/services/s3/objectStore";
import { exchange } from "./exchange";
import { oneRole, publicRead, put, register, registerBucket, testContext, useStore } from "./store";

const { context, store, bucket, origin, get } = useStore();
const pathOf = (key: string) => `/${bucket}/${encodeURIComponent(key)}`;
const md5 = (bytes: Buffer) => createHash("md5").update(bytes).digest("hex");

describe("reading", () => {
  it("returns the bytes with S3's headers to an anonymous caller", async () => {
    const bytes = randomBytes(300_000);
    const stored = await put(store, bucket, "a/b.png", bytes, {
      "content-type": "image/png",
      "cache-control": "max-age=60",
      "x-amz-meta-colour": "red",
    });
    expect(stored).toMatchObject({ status: 200, headers: { etag: `"${md5(bytes)}"` } });
    const reply = await get(`/${bucket}/a/b.png`);
    expect(reply.status).toBe(200);
    expect(reply.body.equals(bytes)).toBe(true);
    expect(reply.headers).toMatchObject({
      "content-type": "image/png",
      "cache-control": "max-age=60",
      "content-length": "300000",
      "accept-ranges": "bytes",
      etag: `"${md5(bytes)}"`,
      "x-amz-meta-colour": "red",
      "x-amz-server-side-encryption": "AES256",
    });
    expect(Date.now() - Date.parse(reply.headers["last-modified"]!)).toBeLessThan(60_000);
  });

  it("reads a plus in a URL as a blank, as S3 does; %2B is a plus", async () => {
    await put(store, bucket, "one two.png", Buffer.from("blank"));
    await put(store, bucket, "one+two.png", Buffer.from("plus"));
    expect((await get(`/${bucket}/one+two.png`)).text).toBe("blank");
    expect((await get(`/${bucket}/one%20two.png`)).text).toBe("blank");
    expect((await get(`/${bucket}/one%2Btwo.png`)).text).toBe("plus");
  });

  it("answers HEAD with the same headers and no body", async () => {
    await put(store, bucket, "head", Buffer.from("12345"));
    const reply = await get(`/${bucket}/head`, {}, "HEAD");
    expect(reply).toMatchObject({ status: 200, headers: { "content-length": "5" }, text: "" });
    expect(await get(`/${bucket}/none`, {}, "HEAD")).toMatchObject({ status: 403, text: "" });
  });

  it("stores an empty object", async () => {
    await put(store, bucket, "empty", Buffer.alloc(0));
    const reply = await get(`/${bucket}/empty`);
    expect(reply).toMatchObject({ status: 200, headers: { "content-length": "0" }, text: "" });
    expect(reply.headers["content-type"]).toBe("binary/octet-stream");
  });

  it("answers 403 for a missing object to a caller who may not list the bucket", async () => {
    const reply = await get(`/${bucket}/missing`);
    expect(reply.status).toBe(403);
    expect(reply.headers["content-type"]).toBe("application/xml");
    expect(reply.text).toContain("<Code>AccessDenied</Code>");
  });

  it("answers 404 for a bucket that is not registered", async () => {
    const reply = await get("/another-bucket/a");
    expect(reply.status).toBe(404);
    expect(reply.text).toContain("<Code>NoSuchBucket</Code>");
  });

  it.each([
    ["bytes=0-3", 206, "0123", "bytes 0-3/10"],
    ["bytes=7-", 206, "789", "bytes 7-9/10"],
    ["bytes=-2", 206, "89", "bytes 8-9/10"],
    ["bytes=-99", 206, "0123456789", "bytes 0-9/10"],
    ["bytes=5-99", 206, "56789", "bytes 5-9/10"],
    ["bytes=0-1,4-5", 200, "0123456789", undefined],
    ["bytes=5-2", 200, "0123456789", undefined],
    ["lines=1-2", 200, "0123456789", undefined],
    ["bytes=10-", 416, undefined, "bytes */10"],
    ["bytes=-0", 416, undefined, "bytes */10"],
  ])("range %s → %i", async (range, status, text, contentRange) => {
    await put(store, bucket, "digits", Buffer.from("0123456789"));
    const reply = await get(`/${bucket}/digits`, { range });
    expect(reply.status).toBe(status);
    if (text !== undefined) expect(reply.text).toBe(text);
    else expect(reply.text).toContain("<Code>InvalidRange</Code>");
    expect(reply.headers["content-range"]).toBe(contentRange);
  });

  it("any range of an empty object is 416", async () => {
    await put(store, bucket, "empty", Buffer.alloc(0));
    expect((await get(`/${bucket}/empty`, { range: "bytes=0-" })).status).toBe(416);
  });

  const past = "Mon, 01 Jan 2001 00:00:00 GMT";
  const future = new Date(Date.now() + 86_400_000).toUTCString();
  const etag = `"${md5(Buffer.from("conditional"))}"`;
  it.each([
    [{ "if-none-match": etag }, 304],
    [{ "if-none-match": `"x", ${etag}` }, 304],
    [{ "if-none-match": "*" }, 304],
    [{ "if-none-match": '"other"' }, 200],
    [{ "if-modified-since": future }, 304],
    [{ "if-modified-since": past }, 200],
    [{ "if-modified-since": "nonsense" }, 200],
    [{ "if-none-match": '"other"', "if-modified-since": future }, 200],
    [{ "if-match": etag }, 200],
    [{ "if-match": '"other"' }, 412],
    [{ "if-unmodified-since": past }, 412],
    [{ "if-unmodified-since": future }, 200],
    [{ "if-match": etag, "if-unmodified-since": past }, 200],
  ])("conditions %j → %i", async (headers, status) => {
    await put(store, bucket, "conditional", Buffer.from("conditional"));
    const reply = await get(`/${bucket}/conditional`, headers);
    expect(reply.status).toBe(status);
    if (status === 304) expect(reply.headers.etag).toBe(etag);
    if (status === 412) expect(reply.text).toContain("<Code>PreconditionFailed</Code>");
  });
});

describe("permissions", () => {
  it.each(["PUT", "DELETE", "POST", "PATCH"])("%s is denied to an anonymous caller", async (method) => {
    const reply = await exchange(await origin(), `/${bucket}/intruder`, { method, body: "x" });
    expect(reply.status).toBe(403);
    expect((await get(`/${bucket}/intruder`)).status).toBe(403);
  });

  it.each([`/${bucket}`, `/${bucket}/`, "/", `/${bucket}/digits?acl`])(
    "GET %s is denied to an anonymous caller",
    async (path) => {
      expect((await get(path)).status).toBe(403);
    },
  );

  it("denies a role that has no policy for it", async () => {
    const principal = { kind: "role", arn: "arn:aws:iam::123456789012:role/other" } as const;
    const reply = await store.request({ method: "PUT", bucket, key: "k", headers: {}, principal });
    expect(reply.status).toBe(403);
    const elsewhere = await store.request({ method: "GET", bucket: "not-ours", key: "k", headers: {}, principal });
    expect(elsewhere.status).toBe(403);
  });

  it("refuses unknown credentials", async () => {
    const signed = await get(`/${bucket}/digits`, { authorization: "AWS4-HMAC-SHA256 Credential=AKIA" });
    expect(signed.text).toContain("<Code>InvalidAccessKeyId</Code>");
    expect((await get(`/${bucket}/digits`, { authorization: "Bearer x" })).status).toBe(400);
  });

  it("without a policy anonymous reads are denied; a denial in the policy also applies to the role", async () => {
    const own = testContext();
    const closed = new ObjectStore(own, oneRole);
    const type = "aws:s3/bucket:Bucket";
    await register(closed, type, "closed", { bucket: "closed-bucket" });
    await put(closed, "closed-bucket", "a", Buffer.from("a"));
    const origin = new URL(await closed.bucketUrl("x")).origin;
    expect((await exchange(origin, "/closed-bucket/a")).status).toBe(403);
    await register(closed, "aws:s3/bucketPolicy:BucketPolicy", "closed", {
      bucket: "closed-bucket",
      policy: {
        Version: "2012-10-17",
        Statement: [
          { Effect: "Deny", Principal: "*", Action: "s3:PutObject", Resource: "arn:aws:s3:::closed-bucket/private/*" },
        ],
      },
    });
    expect((await put(closed, "closed-bucket", "private/a", Buffer.from("a"))).status).toBe(403);
    expect((await put(closed, "closed-bucket", "a", Buffer.from("a"))).status).toBe(200);
    await closed.close();
    own.remove();
  });

  it("restrictPublicBuckets denies anonymous callers a public bucket, but not the role", async () => {
    const name = await registerBucket(store, "restricted-bucket");
    await put(store, name, "a", Buffer.from("a"));
    expect((await get(`/${name}/a`)).status).toBe(200);
    await register(store, "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", name, {
      bucket: name,
      restrictPublicBuckets: true,
    });
    expect((await get(`/${name}/a`)).status).toBe(403);
    expect((await put(store, name, "a", Buffer.from("a"))).status).toBe(200);
  });

  it("a policy that denies plain HTTP does not deny requests on loopback", async () => {
    const name = await registerBucket(store, "secure-transport");
    const deny = { Effect: "Deny", Principal: "*", Action: "s3:*", Resource: `arn:aws:s3:::${name}/*` };
    const policy = publicRead(name);
    policy.Statement.push({ ...deny, Condition: { Bool: { "aws:SecureTransport": "false" } } } as any);
    await register(store, "aws:s3/bucketPolicy:BucketPolicy", name, { bucket: name, policy });
    await put(store, name, "a", Buffer.from("a"));
    expect((await get(`/${name}/a`)).status).toBe(200);
  });
});

describe("keys", () => {
  const awkward = [
    "with space.jpg",
    "plus+and%2Fpercent",
    "a/b/../c",
    "../../etc/passwd",
    "..",
    ".",
    "/leading",
    "double//slash",
    "trailing/",
    "日本語/ñandú.png",
    "emoji 😀",
    "line\nbreak\u0000nul",
    "?query#fragment&amp;<xml>",
    "CON",
    "a.part",
  ];
  it.each(awkward)("%j is stored exactly", async (key) => {
    const bytes = randomBytes(50);
    expect((await put(store, bucket, key, bytes)).status).toBe(200);
    const reply = await get(pathOf(key));
    expect(reply.status).toBe(200);
    expect(reply.body.equals(bytes)).toBe(true);
  });

  it("dots in a raw path are part of the key", async () => {
    await put(store, bucket, "p/../q", Buffer.from("raw"));
    expect((await get(`/${bucket}/p/../q`)).text).toBe("raw");
    expect((await get(`/${bucket}/../${bucket}/p/../q`)).status).toBe(403);
  });

  it("takes keys of 1,024 bytes and no more", async () => {
    expect((await put(store, bucket, "x".repeat(1024), Buffer.from("x"))).status).toBe(200);
    for (const key of ["x".repeat(1025), "é".repeat(513)]) {
      const reply = await put(store, bucket, key, Buffer.from("x"));
      expect(reply.status).toBe(400);
      expect(String(reply.body)).toContain("<Code>KeyTooLongError</Code>");
    }
  });

  it("any two keys are separate objects, and nothing is written outside the bucket's folder", async () => {
    const objects = join(context.directory, "objects");
    const before = readdirSync(objects).sort();
    const key = fc.string({ unit: "binary", minLength: 1, maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(key, key, async (a, b) => {
        await put(store, bucket, a, Buffer.from("a"));
        await put(store, bucket, b, Buffer.from("b"));
        expect((await get(pathOf(a))).text).toBe(a === b ? "b" : "a");
        expect((await get(pathOf(b))).text).toBe("b");
      }),
      { numRuns: 100 },
    );
    expect(readdirSync(objects).sort()).toEqual(before);
    expect(readdirSync(join(objects, bucket)).every((name) => /^[0-9a-f]{64}$/.test(name))).toBe(true);
  });

  it("no path or header ends the server", async () => {
    const odd = fc.string({ unit: "binary-ascii", maxLength: 60 }).map((s) => s.replace(/[^\x21-\x7e]/g, "%"));
    await fc.assert(
      fc.asyncProperty(odd, odd, async (path, header) => {
        const headers = { range: header, "if-match": header, "if-modified-since": header, origin: header };
        const reply = await exchange(await origin(), `/${bucket}/${path}`, { headers });
        expect([200, 206, 400, 403, 404, 412]).toContain(reply.status);
      }),
      { numRuns: 200 },
    );
    expect((await get(`/${bucket}/%zz`)).text).toContain("<Code>InvalidURI</Code>");
    expect((await get(`/${bucket}/%ff%fe`)).status).toBe(400);
  });
});

describe("cross-origin", () => {
  beforeAll(async () => {
    const name = await registerBucket(store, "cors-bucket");
    await put(store, name, "a", Buffer.from("a"));
    await register(store, "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration", name, {
      bucket: name,
      corsRules: [
        {
          allowedMethods: ["GET"],
          allowedOrigins: ["https://*.example.com"],
          exposeHeaders: ["ETag"],
          maxAgeSeconds: 9,
        },
      ],
    });
  });

  it.each([
    ["https://shop.example.com", "https://shop.example.com"],
    ["https://evil.test", undefined],
  ])("%s → %s", async (origin, allowed) => {
    const reply = await get("/cors-bucket/a", { origin });
    expect(reply.status).toBe(200);
    expect(reply.headers["access-control-allow-origin"]).toBe(allowed);
    const preflight = await get("/cors-bucket/a", { origin, "access-control-request-method": "GET" }, "OPTIONS");
    expect(preflight.status).toBe(allowed ? 200 : 403);
    expect(preflight.headers["access-control-max-age"]).toBe(allowed && "9");
  });

  it("without a configuration every preflight is refused", async () => {
    const headers = { origin: "https://shop.example.com", "access-control-request-method": "GET" };
    const reply = await get(`/${bucket}/a`, headers, "OPTIONS");
    expect(reply.status).toBe(403);
    expect(reply.text).toContain("CORS is not enabled for this bucket");
  });
});
