import { type BucketAccess, isAllowed, type Roles, type S3Caller } from "./access";
import { accessDenied, errorAnswer, notImplemented, S3Error, standardHeaders } from "./answers";
import { preconditionFailed, rangeOf, shouldSend } from "./conditionalRequests";
import type { CorsRule } from "./cors";
import { ObjectExists, type ObjectFiles, type ObjectHead } from "./files";
import type { Answer } from "./serve";

/** One bucket as the program configured it. */
export interface Bucket extends BucketAccess {
  readonly cors: readonly CorsRule[];
}

/** One request to an object, from HTTP or from another service. */
export interface S3Request {
  /** `GET`, `HEAD` and `PUT` are served. */
  readonly method: string;
  readonly bucket: string;
  /** The key as it is stored, without percent-encoding. */
  readonly key: string;
  /** Names in lower case; the store uses these headers only. */
  readonly headers: Readonly<Record<string, string>>;
  readonly principal: S3Caller;
  /** Read only for a `PUT` that is allowed. If reading it throws, `request` throws the same error. */
  readonly body?: AsyncIterable<Uint8Array>;
}

/** A service that answers as S3. An error of S3 is returned as an answer, not thrown. */
export interface S3 {
  request(request: S3Request): Promise<Answer>;
}

/** Headers of an upload that are stored, and sent with the object. */
const storedHeaders = [
  "content-type",
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "expires",
] as const;

/** Headers of a request that this store uses, by method; those of `GET` also apply to `HEAD`. */
export const servedHeaders = {
  PUT: [...storedHeaders, "content-md5", "if-none-match", "x-amz-acl", "x-amz-server-side-encryption"],
  GET: ["range", "if-range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since"],
};

const longestKey = 1024;
const mostMetadata = 2048;
/** Headers that clients send, signed or not, and that have no effect here. */
const inert = /^x-amz-(content-sha256|date|security-token|user-agent|sdk-.*|checksum-.*)$/;

/** S3's operations on objects: authorizing, reading and writing. */
export class ObjectOperations implements S3 {
  constructor(
    private readonly files: ObjectFiles,
    private readonly roles: Roles,
    private readonly buckets: ReadonlyMap<string, Bucket>,
  ) {}

  async request(request: S3Request): Promise<Answer> {
    try {
      return await this.#perform(request);
    } catch (error) {
      if (!(error instanceof S3Error)) throw error;
      const answer = errorAnswer(error);
      return request.method === "HEAD" ? { status: answer.status, headers: bodiless(answer.headers) } : answer;
    }
  }

  #perform(request: S3Request): Promise<Answer> {
    const bucket = this.#bucket(request);
    if (Buffer.byteLength(request.key) > longestKey) {
      throw new S3Error(400, "KeyTooLongError", "Your key is too long", {
        Size: String(Buffer.byteLength(request.key)),
        MaxSizeAllowed: String(longestKey),
      });
    }
    if (request.key === "") return this.#onBucket(bucket, request);
    if (request.method === "GET" || request.method === "HEAD") return this.#get(bucket, request);
    if (request.method === "PUT") return this.#put(bucket, request);
    return this.#unserved(bucket, request, request.method === "DELETE" ? "s3:DeleteObject" : "s3:PutObject");
  }

  #bucket(request: S3Request): Bucket {
    const bucket = this.buckets.get(request.bucket);
    if (bucket) return bucket;
    const access = { bucket: request.bucket, block: blockAll };
    const action = request.method === "PUT" ? "s3:PutObject" : "s3:GetObject";
    // On AWS nearly every name is a bucket of some account, so a role without permission gets 403.
    if (request.principal.kind === "role" && !isAllowed(access, this.roles, request.principal, action, request.key)) {
      throw accessDenied();
    }
    throw new S3Error(404, "NoSuchBucket", "The specified bucket does not exist", { BucketName: request.bucket });
  }

  async #get(bucket: Bucket, request: S3Request): Promise<Answer> {
    const { key, headers, principal } = request;
    if (!isAllowed(bucket, this.roles, principal, "s3:GetObject", key)) throw accessDenied();
    const object = await this.files.open(bucket.bucket, key);
    if (!object) {
      // A caller who may not list the bucket gets 403 instead of 404.
      if (!isAllowed(bucket, this.roles, principal, "s3:ListBucket")) throw accessDenied();
      throw new S3Error(404, "NoSuchKey", "The specified key does not exist.", { Key: key });
    }
    let handedOver = false;
    try {
      const { head } = object;
      if (!shouldSend(head, headers))
        return { status: 304, headers: { ...standardHeaders(), ...versionHeaders(head) } };
      const range = rangeOf(head, headers);
      const span = range ?? { start: 0, end: head.size - 1 };
      const answer = {
        status: range ? 206 : 200,
        headers: {
          ...standardHeaders(),
          ...head.headers,
          ...versionHeaders(head),
          ...encryption,
          "accept-ranges": "bytes",
          "content-length": String(span.end - span.start + 1),
          ...(range && { "content-range": `bytes ${span.start}-${span.end}/${head.size}` }),
        },
      };
      if (request.method === "HEAD") return answer;
      if (head.size === 0) return { ...answer, body: Buffer.alloc(0) };
      handedOver = true;
      return { ...answer, body: object.stream(span) };
    } finally {
      if (!handedOver) await object.close();
    }
  }

  async #put(bucket: Bucket, request: S3Request): Promise<Answer> {
    const { key, headers, principal, body = nothing() } = request;
    if (!isAllowed(bucket, this.roles, principal, "s3:PutObject", key)) throw accessDenied();
    const stored = headersToStore(headers);
    const expectedMd5 = headers["content-md5"];
    try {
      const head = await this.files.write(bucket.bucket, key, {
        headers: stored,
        body,
        createOnly: headers["if-none-match"] === "*",
        check: (md5) => {
          if (expectedMd5 !== undefined && md5.toString("base64") !== expectedMd5) {
            throw new S3Error(400, "BadDigest", "The Content-MD5 you specified did not match what we received.");
          }
        },
      });
      return {
        status: 200,
        headers: { ...standardHeaders(), ...encryption, etag: head.etag, "content-length": "0" },
      };
    } catch (error) {
      throw error instanceof ObjectExists ? preconditionFailed("If-None-Match") : error;
    }
  }

  async #onBucket(bucket: Bucket, request: S3Request): Promise<Answer> {
    return this.#unserved(bucket, request, request.method === "PUT" ? "s3:CreateBucket" : "s3:ListBucket", true);
  }

  /** Answers an operation that is not implemented: 403 if the caller may not perform it, else 501. */
  async #unserved(bucket: Bucket, request: S3Request, action: string, onBucket = false): Promise<Answer> {
    const key = onBucket ? undefined : request.key;
    if (!isAllowed(bucket, this.roles, request.principal, action, key)) throw accessDenied();
    throw notImplemented({ Method: request.method, ResourceType: onBucket ? "BUCKET" : "OBJECT" });
  }
}

/** All public access is blocked: S3's default for new buckets since April 2023. */
export const blockAll = {
  blockPublicAcls: true,
  ignorePublicAcls: true,
  blockPublicPolicy: true,
  restrictPublicBuckets: true,
};

/** SSE-S3, which S3 applies to every object. */
const encryption = { "x-amz-server-side-encryption": "AES256" };

function versionHeaders(head: ObjectHead): Record<string, string> {
  return { etag: head.etag, "last-modified": new Date(head.lastModified).toUTCString() };
}

/** The headers of an answer to HEAD, without the length of the body that it leaves out. */
function bodiless(headers: Readonly<Record<string, string>>): Record<string, string> {
  const { "content-length": _, ...rest } = headers;
  return rest;
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** The headers to store with an upload. @throws S3Error for a header that asks for an unsupported feature */
function headersToStore(headers: Readonly<Record<string, string>>): Record<string, string> {
  const kept: Record<string, string> = { "content-type": "binary/octet-stream" };
  let metadata = 0;
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
      throw new S3Error(400, "InvalidArgument", "A header contains characters that are not allowed.", { Header: name });
    }
    if (name.startsWith("x-amz-meta-")) metadata += name.length - "x-amz-meta-".length + value.length;
    if (name.startsWith("x-amz-meta-") || storedHeaders.some((one) => one === name)) kept[name] = value;
    else checkRequestHeader(name, value);
  }
  if (metadata > mostMetadata) {
    throw new S3Error(400, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size.");
  }
  return kept;
}

function checkRequestHeader(name: string, value: string): void {
  if (name === "x-amz-acl" && value !== "bucket-owner-full-control") {
    throw new S3Error(400, "AccessControlListNotSupported", "The bucket does not allow ACLs");
  }
  const known = name === "x-amz-acl" || (name === "x-amz-server-side-encryption" && value === "AES256");
  const conditional = name === "if-match" || (name === "if-none-match" && value !== "*");
  if (conditional || (name.startsWith("x-amz-") && !known && !inert.test(name))) {
    throw notImplemented({ Header: name });
  }
}
