/**
 * The private certificate authority of this machine's local system, and the server certificate that it signs.
 *
 * The function verifies the host name of the database as it does on AWS, so the local servers need certificates that
 * can be verified. The authority's key is never stored: it cannot sign any other certificate.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { generate } from "selfsigned";
import { makeFolder, replaceFile } from "./files";

export interface Certificates {
  /** PEM file of the authority: what clients trust. */
  readonly caFile: string;
  /** PEM file of the server certificate, for `localhost` and `127.0.0.1`. */
  readonly certFile: string;
  /** PEM file of the server's private key, mode 0600. */
  readonly keyFile: string;
}

const day = 24 * 60 * 60 * 1000;
const validDays = 730;
const renewDays = 30;

/**
 * Creates the authority and the server certificate in a folder. Keeps existing files while they are complete and valid
 * for another 30 days; otherwise replaces all of them, the authority included.
 * @param directory absolute path, created where it is missing
 * @param now the clock, for tests
 */
export async function ensureCertificates(directory: string, now: () => Date = () => new Date()): Promise<Certificates> {
  const files: Certificates = {
    caFile: path.join(directory, "ca.pem"),
    certFile: path.join(directory, "server.pem"),
    keyFile: path.join(directory, "server-key.pem"),
  };
  if (await usable(files, now())) return files;

  await makeFolder(directory);
  const { key, cert, ca } = await generateAll(now());
  // The key is written first: after an interruption certificate and key do not match, and the next start notices it.
  replaceFile(files.keyFile, key, 0o600);
  replaceFile(files.certFile, cert, 0o644);
  replaceFile(files.caFile, ca, 0o644);
  return files;
}

async function usable(files: Certificates, now: Date): Promise<boolean> {
  try {
    const ca = new X509Certificate(await readFile(files.caFile));
    const cert = new X509Certificate(await readFile(files.certFile));
    const key = createPrivateKey(await readFile(files.keyFile));
    const expires = Math.min(Date.parse(ca.validTo), Date.parse(cert.validTo));
    return cert.verify(ca.publicKey) && cert.checkPrivateKey(key) && expires - now.getTime() > renewDays * day;
  } catch {
    return false;
  }
}

async function generateAll(now: Date): Promise<{ ca: string; cert: string; key: string }> {
  const common = {
    keyType: "ec",
    algorithm: "sha256",
    // Valid since yesterday, so that setting the clock back a little does not make the certificate "not yet valid".
    notBeforeDate: new Date(now.getTime() - day),
    notAfterDate: new Date(now.getTime() + validDays * day),
  } as const;
  // The name contains the time: clients would confuse a new authority with an old one of the same name.
  const authority = await generate([{ name: "commonName", value: `ecommerce local authority ${now.getTime()}` }], {
    ...common,
    extensions: [
      { name: "basicConstraints", cA: true, pathLenConstraint: 0, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const server = await generate([{ name: "commonName", value: "localhost" }], {
    ...common,
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: "basicConstraints", cA: false, critical: true },
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      {
        name: "subjectAltName",
        altNames: [
          { type: 2, value: "localhost" },
          { type: 7, ip: "127.0.0.1" },
        ],
      },
    ],
  });
  return { ca: authority.cert, cert: server.cert, key: server.private };
}
