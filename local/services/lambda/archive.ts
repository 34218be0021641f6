import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { provisioningError, type ResourceRegistration } from "../../../host/resources";

/** A function's archive, unpacked on disk. */
export interface Unpacked {
  /** Absolute path of the folder with the content of the deployed zip file. */
  readonly folder: string;
  /** SHA-256 of the content, base64. */
  readonly sha256: string;
  /** Size in bytes of a zip file of these files. */
  readonly zippedSize: number;
}

/** Lambda's limit for all files of a function together. */
const maxUnzippedSize = 250 * 1024 * 1024;

/**
 * Writes the `code` of an `aws.lambda.Function` (an AssetArchive, as the program registered it) into a folder, exactly
 * the files that the deployed zip would hold. Does nothing if the folder has that content already.
 * @param folder absolute; replaced as a whole when the content changed.
 * @throws CommandError for a path that would leave the folder, an archive too large for Lambda, and kinds of archives
 *   that are not simulated (remote ones, archive files).
 */
export async function unpack(resource: ResourceRegistration, folder: string): Promise<Unpacked> {
  const files = new Map<string, Buffer>();
  await collect(resource, resource.inputs.code, "", files);
  const size = [...files.values()].reduce((sum, { length }) => sum + length, 0);
  if (files.size === 0) throw provisioningError(resource, "its code is empty: its archive holds no file.");
  if (size > maxUnzippedSize) {
    throw provisioningError(
      resource,
      `its unzipped size must be smaller than ${maxUnzippedSize} bytes; the archive has ${size}.`,
    );
  }
  const sorted = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  const hash = createHash("sha256");
  for (const [path, content] of sorted) hash.update(`${path}\0${content.length}\0`).update(content);
  const sha256 = hash.digest("base64");

  const noteFile = `${folder}.json`;
  const kept = await readNote(noteFile);
  if (kept?.sha256 === sha256) return { folder: await realpath(folder), ...kept };

  await rm(noteFile, { force: true }); // If anything fails from here on, the next start unpacks again.
  const next = `${folder}.next`;
  await rm(next, { recursive: true, force: true });
  for (const [path, content] of sorted) {
    const file = join(next, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  await rm(folder, { recursive: true, force: true });
  await rename(next, folder);
  const zippedSize = zippedSizeOf(sorted);
  await writeFile(noteFile, JSON.stringify({ sha256, zippedSize }));
  return { folder: await realpath(folder), sha256, zippedSize };
}

/** Assets and archives are recognized by their fields: another copy of the Pulumi package may have created them. */
interface Code {
  readonly assets?: Promise<Record<string, unknown>> | Record<string, unknown>;
  readonly text?: Promise<string> | string;
  readonly path?: Promise<string> | string;
  readonly uri?: unknown;
}

async function collect(
  resource: ResourceRegistration,
  code: unknown,
  at: string,
  files: Map<string, Buffer>,
): Promise<void> {
  const { assets, text, path, uri } = (code ?? {}) as Code;
  if (assets !== undefined) {
    for (const [name, asset] of Object.entries(await assets))
      await collect(resource, asset, joined(resource, at, name), files);
  } else if (text !== undefined) {
    files.set(at, Buffer.from(await text));
  } else if (path !== undefined) {
    await collectPath(resource, await path, at, files);
  } else {
    const what = uri === undefined ? "is missing" : `is remote (${String(uri)})`;
    throw provisioningError(
      resource,
      `its code${at && ` at ${at}`} ${what}; an AssetArchive of texts, files and folders works.`,
    );
  }
}

async function collectPath(
  resource: ResourceRegistration,
  path: string,
  at: string,
  files: Map<string, Buffer>,
): Promise<void> {
  if ((await stat(path)).isDirectory()) {
    for (const name of await readdir(path))
      await collectPath(resource, join(path, name), joined(resource, at, name), files);
  } else if (at === "") {
    throw provisioningError(
      resource,
      `its code is the archive file ${path}; only a folder or an AssetArchive works here.`,
    );
  } else {
    files.set(at, await readFile(path));
  }
}

function joined(resource: ResourceRegistration, at: string, name: string): string {
  const parts = name.replace(/^\.\//, "").split("/");
  if (parts.some((part) => part === "" || part === "." || part === ".." || /[\\\0]/.test(part))) {
    throw provisioningError(resource, `the path ${JSON.stringify(name)} in its archive would leave its folder.`);
  }
  return [...(at === "" ? [] : [at]), ...parts].join("/");
}

async function readNote(file: string): Promise<{ sha256: string; zippedSize: number } | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch {
    return undefined;
  }
}

/** Each file has a header of 30 bytes and a directory entry of 46, both with its name; the end record has 22 bytes. */
function zippedSizeOf(files: readonly (readonly [string, Buffer])[]): number {
  const sizes = files.map(([path, content]) => {
    return 76 + 2 * Buffer.byteLength(path) + Math.min(content.length, deflateRawSync(content).length);
  });
  return sizes.reduce((sum, size) => sum + size, 22);
}
