import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import type { LocalService, ServiceContext } from "../../../../local/lib/service";
import { ObjectStore } from "../../../../local/services/s3/objectStore";
import { exchange } from "./exchange";

export const role = "arn:aws:iam::123456789012:role/ecommerce-api-gateway-to-s3";

/** A service context with a folder of its own; every port is a free one. */
export function testContext(): ServiceContext & { reported: string[]; remove(): void } {
  const directory = mkdtempSync(join(tmpdir(), "ecommerce-"));
  const reported: string[] = [];
  return {
    directory,
    region: "us-east-1",
    accountId: "123456789012",
    port: async () => 0,
    info: (line) => reported.push(line),
    reported,
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** Registers a resource with the handler of its type, as the host does. */
export async function register(service: LocalService, type: string, name: string, inputs: Record<string, unknown>) {
  const handler = service.handlers[type];
  if (!handler) throw new Error(`No handler for ${type}`);
  const result = await handler({ type, name, inputs });
  return { id: result.id, ...inputs, ...result.outputs } as Record<string, any>;
}

export const publicRead = (bucket: string) => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: `arn:aws:s3:::${bucket}/*` }],
});

/** The documented bucket (row S7). */
export async function registerBucket(store: ObjectStore, bucket = "ecommerce-app-test"): Promise<string> {
  await register(store, "aws:s3/bucket:Bucket", bucket, { bucket, objectLockEnabled: false });
  await register(store, "aws:s3/bucketOwnershipControls:BucketOwnershipControls", bucket, {
    bucket,
    rule: { objectOwnership: "BucketOwnerEnforced" },
  });
  await register(store, "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", bucket, {
    bucket,
    blockPublicAcls: false,
    ignorePublicAcls: false,
    blockPublicPolicy: false,
    restrictPublicBuckets: false,
  });
  await register(
    store,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    bucket,
    { bucket, rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" }, bucketKeyEnabled: true }] },
  );
  await register(store, "aws:s3/bucketVersioning:BucketVersioning", bucket, {
    bucket,
    versioningConfiguration: { status: "Disabled" },
  });
  await register(store, "aws:s3/bucketPolicy:BucketPolicy", bucket, {
    bucket,
    policy: JSON.stringify(publicRead(bucket)),
  });
  return bucket;
}

/** Stores an object as `role`. */
export async function put(
  store: ObjectStore,
  bucket: string,
  key: string,
  body: Uint8Array | AsyncIterable<Uint8Array>,
  headers: Record<string, string> = {},
) {
  const chunks = body instanceof Uint8Array ? toAsync(body) : body;
  return store.request({ method: "PUT", bucket, key, headers, principal: { kind: "role", arn: role }, body: chunks });
}

async function* toAsync(body: Uint8Array) {
  // In several pieces, as a network delivers it.
  for (let at = 0; at < body.length; at += 65_536) yield body.subarray(at, at + 65_536);
}

/** Only `role` may read and write every object; other roles may do nothing. */
export const oneRole = {
  authorize: (arn: string, action: string) => {
    const allowed = arn === role && /^s3:(Get|Put)Object$/.test(action);
    return { allowed, reason: allowed ? "" : "no statement allows it" };
  },
};

/** A store with the documented bucket, for all tests of a file; closed twice at the end, which must be safe. */
export function useStore() {
  const context = testContext();
  const store = new ObjectStore(context, oneRole);
  const bucket = "ecommerce-app-test";
  const origin = async () => new URL(await store.bucketUrl(bucket)).origin;
  const get = async (path: string, headers: Record<string, string> = {}, method = "GET") =>
    exchange(await origin(), path, { method, headers });
  beforeAll(() => registerBucket(store, bucket));
  afterAll(async () => {
    await store.close();
    await store.close();
    context.remove();
  });
  return { context, store, bucket, origin, get };
}
