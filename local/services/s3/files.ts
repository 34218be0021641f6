import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { constants, createWriteStream } from "node:fs";
import { type FileHandle, link, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import type { Span, Version } from "./conditionalRequests";

/** The metadata that is stored with an object's bytes. */
export interface ObjectHead extends Version {
  readonly key: string;
  /** The headers that are sent with the object, including `content-type`; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The content and the options of an upload. */
export interface Upload {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array>;
  /** Does not replace an existing object (`If-None-Match: *`). */
  readonly createOnly?: boolean;
  /** Called with the MD5 of the received bytes, before the object becomes visible; throws to cancel the upload. */
  readonly check?: (md5: Buffer) => void;
}

/** Thrown if `createOnly` is set and the object exists. */
export class ObjectExists extends Error {
  override readonly name = "ObjectExists";
}

const footerLength = 8;
const magic = 0x4f424a31; // "OBJ1"
/** Bytes that are read from the end of a file. Nearly every head is shorter, so that one read is enough. */
const tailLength = 4096;

/**
 * Objects as files: one file contains the bytes, then the head as JSON, then eight bytes with the head's length. The
 * file's name is the SHA-256 of the key, so no key leads to a path outside the folder. One rename makes an upload
 * visible, so no reader gets the bytes of one upload with the head of another, or an incomplete object.
 */
export class ObjectFiles {
  readonly #root: string;

  /** @param root folder of all buckets; the callers check the names of buckets */
  constructor(root: string) {
    this.#root = root;
  }

  /** Creates the bucket's folder and removes the files of uploads that a crash interrupted. */
  async makeBucket(bucket: string): Promise<void> {
    const folder = join(this.#root, bucket);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const leftovers = (await readdir(folder)).filter((name) => name.endsWith(".part"));
    await Promise.all(leftovers.map((name) => rm(join(folder, name), { force: true })));
  }

  /** Stores an object. If anything fails, also reading the body, only the previous object remains. */
  async write(bucket: string, key: string, upload: Upload): Promise<ObjectHead> {
    const path = this.#path(bucket, key);
    const part = `${path}.${randomUUID()}.part`;
    try {
      const head = await writePart(part, key, upload);
      await (upload.createOnly ? moveNew(part, path) : rename(part, path));
      return head;
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
  }

  /** Opens an object; undefined if it does not exist. An opened object stays readable after it is overwritten. */
  async open(bucket: string, key: string): Promise<OpenObject | undefined> {
    const path = this.#path(bucket, key);
    let file: FileHandle;
    try {
      file = await open(path, constants.O_RDONLY);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
    try {
      return new OpenObject(file, await readHead(file, path));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  #path(bucket: string, key: string): string {
    return join(this.#root, bucket, createHash("sha256").update(key).digest("hex"));
  }
}

/** An object opened for reading: the caller reads `stream()` to its end, destroys that stream, or calls `close()`. */
class OpenObject {
  constructor(
    readonly file: FileHandle,
    readonly head: ObjectHead,
  ) {}

  stream(span: Span): Readable {
    return this.file.createReadStream({ ...span, highWaterMark: 256 * 1024 });
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}

async function writePart(part: string, key: string, upload: Upload): Promise<ObjectHead> {
  const hash = createHash("md5");
  let size = 0;
  // The disk writes, several chunks at a time, while this thread hashes the next.
  const file = createWriteStream(part, { flags: "wx", mode: 0o600, highWaterMark: 1024 * 1024 });
  const written = finished(file);
  // The promise is awaited below; until then a rejection must not count as unhandled.
  written.catch(() => {});
  try {
    for await (const chunk of upload.body) {
      hash.update(chunk);
      size += chunk.length;
      if (!file.write(chunk)) await Promise.race([once(file, "drain"), written]);
    }
    const md5 = hash.digest();
    upload.check?.(md5);
    const etag = `"${md5.toString("hex")}"`;
    const head: ObjectHead = { key, size, etag, lastModified: Date.now(), headers: upload.headers };
    file.end(tailOf(head));
    await written;
    return head;
  } catch (error) {
    file.destroy();
    await written.catch(() => {});
    throw error;
  }
}

function tailOf(head: ObjectHead): Buffer {
  const json = Buffer.from(JSON.stringify(head));
  const footer = Buffer.alloc(footerLength);
  footer.writeUInt32BE(json.length, 0);
  footer.writeUInt32BE(magic, 4);
  return Buffer.concat([json, footer]);
}

async function readHead(file: FileHandle, path: string): Promise<ObjectHead> {
  const { size } = await file.stat();
  const tail = await readAt(file, Math.max(0, size - tailLength), size);
  const complete = tail.length >= footerLength && tail.readUInt32BE(tail.length - 4) === magic;
  if (!complete) throw new Error(`${path} is damaged: its footer is missing. Remove it.`);
  const length = tail.readUInt32BE(tail.length - footerLength);
  const json =
    length + footerLength <= tail.length
      ? tail.subarray(tail.length - footerLength - length, tail.length - footerLength)
      : await readAt(file, size - footerLength - length, size - footerLength);
  return JSON.parse(json.toString()) as ObjectHead;
}

async function readAt(file: FileHandle, start: number, end: number): Promise<Buffer> {
  const buffer = Buffer.alloc(end - start);
  const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
  return buffer.subarray(0, bytesRead);
}

/** `link`, unlike `rename`, never replaces a file: exactly one of several simultaneous uploads succeeds. */
async function moveNew(part: string, path: string): Promise<void> {
  try {
    await link(part, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST")
      throw new ObjectExists("The object exists", { cause: error });
    throw error;
  }
  await rm(part);
}
