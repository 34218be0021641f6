import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { connect, createServer } from "node:tls";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Certificates, ensureCertificates } from "../../../local/lib/certificates";

const day = 24 * 60 * 60 * 1000;
let directory: string;
beforeEach(async () => {
  directory = path.join(await mkdtemp(path.join(os.tmpdir(), "certificates-")), "tls");
});
afterEach(() => rm(path.dirname(directory), { recursive: true }));

const read = (files: Certificates) =>
  Promise.all([files.caFile, files.certFile, files.keyFile].map((file) => readFile(file, "utf8")));

describe("ensureCertificates", () => {
  it.each(["localhost", "127.0.0.1"])("makes a certificate that verifies for %s", async (host) => {
    const [ca, cert, key] = await read(await ensureCertificates(directory));
    const server = createServer({ cert, key }, (socket) => socket.end("hello"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    try {
      const socket = connect({ host: "127.0.0.1", port, ca, servername: host === "localhost" ? host : "" });
      const received = await new Promise<string>((resolve, reject) => {
        socket.on("error", reject).on("data", (data) => resolve(String(data)));
      });
      expect(received).toBe("hello");
      expect(new X509Certificate(cert!).checkHost("example.com")).toBeUndefined();
    } finally {
      server.close();
    }
  });

  it("lets only the owner read the server's key, and does not store the authority's key", async () => {
    const files = await ensureCertificates(directory);
    expect((await stat(files.keyFile)).mode & 0o777).toBe(0o600);
    const [ca, cert, key] = await read(files);
    expect(new X509Certificate(cert!).verify(new X509Certificate(ca!).publicKey)).toBe(true);
    expect(ca! + cert!).not.toContain("PRIVATE");
    expect(key!.match(/BEGIN/g)).toHaveLength(1);
  });

  it("keeps existing certificates", async () => {
    const before = await read(await ensureCertificates(directory));
    expect(await read(await ensureCertificates(directory, () => new Date(Date.now() + 600 * day)))).toEqual(before);
  });

  it.each([
    ["nearly expired", async () => {}, () => new Date(Date.now() + 701 * day)],
    ["cut short", (files: Certificates) => writeFile(files.certFile, "-----BEGIN"), () => new Date()],
    ["lacking the key", (files: Certificates) => rm(files.keyFile), () => new Date()],
  ])("renews certificates that are %s", async (_how, spoil, now) => {
    const files = await ensureCertificates(directory);
    const [ca] = await read(files);
    await spoil(files);
    const after = await read(await ensureCertificates(directory, now));
    expect(after[0]).not.toBe(ca);
    expect(Date.parse(new X509Certificate(after[1]!).validTo) - now().getTime()).toBeGreaterThan(700 * day);
  });

  it("renews a certificate that another authority signed", async () => {
    const files = await ensureCertificates(directory);
    const other = await ensureCertificates(path.join(directory, "other"));
    await writeFile(files.caFile, await readFile(other.caFile));
    const [ca, cert] = await read(await ensureCertificates(directory));
    expect(new X509Certificate(cert!).verify(new X509Certificate(ca!).publicKey)).toBe(true);
  });
});
