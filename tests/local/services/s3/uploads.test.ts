/** Uploads to the object store: simultaneous, interrupted, refused, and kept after a new start. */
import { createHash, randomBytes } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ObjectStore } from "../../../../local/services/s3/objectStore";
import { exchange } from "./exchange";
import { oneRole, put, registerBucket, useStore } from "./store";

const { context, store, bucket, origin, get } = useStore();
const md5 = (bytes: Buffer) => createHash("md5").update(bytes).digest("hex");

describe("uploads", () => {
  it("50 simultaneous ones to one key leave one complete object", async () => {
    const bodies = Array.from({ length: 50 }, (_, i) => Buffer.alloc(200_000 + i * 1000, i));
    const reading = { on: true };
    const reader = (async () => {
      while (reading.on) {
        const reply = await get(`/${bucket}/contended`);
        if (reply.status === 200) expect(reply.headers.etag).toBe(`"${md5(reply.body)}"`);
      }
    })();
    await Promise.all(
      bodies.map((body, i) => put(store, bucket, "contended", body, { "content-type": `image/x-${i}` })),
    );
    reading.on = false;
    await reader;
    const last = await get(`/${bucket}/contended`);
    expect(last.body.equals(bodies[last.body[0]!]!)).toBe(true);
    expect(last.headers["content-type"]).toBe(`image/x-${last.body[0]}`);
    expect(readdirSync(join(context.directory, "objects", bucket)).filter((name) => name.endsWith(".part"))).toEqual(
      [],
    );
  });

  it("a reader gets the complete object that it opened, even if it is overwritten", async () => {
    const first = Buffer.alloc(5_000_000, 1);
    await put(store, bucket, "replaced", first);
    const slow = await store.request({
      method: "GET",
      bucket,
      key: "replaced",
      headers: {},
      principal: { kind: "anonymous" },
    });
    await put(store, bucket, "replaced", Buffer.from("second"));
    const chunks: Buffer[] = [];
    for await (const chunk of slow.body as AsyncIterable<Buffer>) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(first)).toBe(true);
  });

  it("of 20 simultaneous ones with If-None-Match exactly one succeeds", async () => {
    const headers = { "if-none-match": "*" };
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, i) => put(store, bucket, "created once", Buffer.from([i]), headers)),
    );
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(replies.filter(({ status }) => status === 412)).toHaveLength(19);
  });

  it("an interrupted or invalid one leaves the previous object and no other file", async () => {
    await put(store, bucket, "kept", Buffer.from("former"));
    const broken = (async function* () {
      yield Buffer.from("half");
      throw new Error("cut");
    })();
    await expect(put(store, bucket, "kept", broken)).rejects.toThrow("cut");
    expect((await get(`/${bucket}/kept`)).text).toBe("former");
    const wrong = await put(store, bucket, "kept", Buffer.from("new"), { "content-md5": "AAAA" });
    expect(String(wrong.body)).toContain("<Code>BadDigest</Code>");
    expect((await get(`/${bucket}/kept`)).text).toBe("former");
    expect(readdirSync(join(context.directory, "objects", bucket)).filter((name) => name.endsWith(".part"))).toEqual(
      [],
    );
  });

  it.each([
    [{ "x-amz-acl": "public-read" }, 400],
    [{ "x-amz-acl": "bucket-owner-full-control" }, 200],
    [{ "x-amz-storage-class": "GLACIER" }, 501],
    [{ "x-amz-server-side-encryption": "aws:kms" }, 501],
    [{ "content-type": "a\r\nSet-Cookie: b" }, 400],
    [{ "x-amz-meta-large": "x".repeat(2049) }, 400],
  ])("with %j → %i", async (headers, status) => {
    expect((await put(store, bucket, "headers", Buffer.from("x"), headers as any)).status).toBe(status);
  });

  it("a client that leaves in the middle of a download does not stop the server", async () => {
    await put(store, bucket, "long", Buffer.alloc(8_000_000, 7));
    const { port } = new URL(await origin());
    await new Promise<void>((resolve) => {
      const socket = net.connect(Number(port), "127.0.0.1", () => {
        socket.write(`GET /${bucket}/long HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
        socket.once("data", () => socket.destroy());
        socket.once("close", () => resolve());
      });
    });
    expect((await get(`/${bucket}/long`, { range: "bytes=0-0" })).status).toBe(206);
  });
});

it("objects are there after a new start on the same folder", async () => {
  const bytes = randomBytes(1000);
  await put(store, bucket, "lasting", bytes, { "content-type": "image/jpeg" });
  const again = new ObjectStore(context, oneRole);
  await registerBucket(again);
  const reply = await exchange(new URL(await again.bucketUrl("x")).origin, `/${bucket}/lasting`);
  expect(reply.body.equals(bytes)).toBe(true);
  expect(reply.headers["content-type"]).toBe("image/jpeg");
  await again.close();
  expect(existsSync(join(context.directory, "objects", bucket))).toBe(true);
});
