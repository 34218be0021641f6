import { mkdtemp, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { type ConnectionOptions, createConnection } from "mysql2/promise";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { CommandError } from "../../../cli/commandError";
import { freePort } from "../../../cli/ports";
import { type Certificates, ensureCertificates } from "../../../local/lib/certificates";
import { startTlsProxy, type TlsProxy } from "../../../local/mysql/tlsProxy";

const { host, port: target, user, password, caFile } = inject("mysql");
let directory: string;
let certificates: Certificates;
let proxy: TlsProxy;
let port: number;
let ca: string;

beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), "proxy-"));
  certificates = await ensureCertificates(directory);
  ca = await readFile(certificates.caFile, "utf8");
  port = await freePort();
  proxy = await startTlsProxy({ port, target: { host, port: target }, certificates });
});
afterAll(async () => {
  await Promise.all([proxy.close(), proxy.close()]);
  await rm(directory, { recursive: true });
});

const through = (ssl: ConnectionOptions["ssl"]) => createConnection({ host: "localhost", port, user, password, ssl });

it("presents the project's certificate, whose name can be verified, and passes everything through", async () => {
  const connection = await through({ ca, verifyIdentity: true });
  const long = "x".repeat(3_000_000);
  const [rows] = await connection.query("SELECT ? AS back, LENGTH(?) AS bytes", ["Ünïcödé", long]);
  expect(rows).toEqual([{ back: "Ünïcödé", bytes: long.length }]);
  const [cipher] = await connection.query<any[]>("SHOW SESSION STATUS LIKE 'Ssl_cipher'");
  expect(cipher[0].Value).not.toBe("");
  await connection.end();
});

it("presents a certificate that the server's own authority did not sign", async () => {
  const own = await readFile(caFile, "utf8");
  await expect(through({ ca: own, verifyIdentity: true })).rejects.toThrow(/certificate|authority/i);
});

it("serves many connections at once", async () => {
  const answers = await Promise.all(
    Array.from({ length: 30 }, async (_, index) => {
      const connection = await through({ ca, verifyIdentity: true });
      const [rows] = await connection.query<any[]>("SELECT ? AS n", [index]);
      await connection.end();
      return rows[0].n;
    }),
  );
  expect(answers).toEqual(Array.from({ length: 30 }, (_, index) => index));
});

it("forwards a client without TLS to the server, which refuses it", async () => {
  await expect(through(undefined)).rejects.toMatchObject({ errno: 3159 });
});

it("refuses a client without TLS itself when TLS is required", async () => {
  proxy.requireSecureTransport(true);
  await expect(through(undefined)).rejects.toMatchObject({ errno: 3159, sqlState: "HY000" });
  proxy.requireSecureTransport(false);
});

it("says when its port is taken", async () => {
  const second = startTlsProxy({ port, target: { host, port: target }, certificates });
  await expect(second).rejects.toThrow(CommandError);
  await expect(second).rejects.toThrow(new RegExp(`port ${port}.*EADDRINUSE`));
});

it("ends the client's connection when the server cannot be reached", async () => {
  const free = await freePort();
  const dead = await startTlsProxy({ port: free, target: { host, port: await freePort() }, certificates });
  const connection = createConnection({ host: "localhost", port: free, user, password, ssl: { ca } });
  await expect(connection).rejects.toThrow(/closed|lost|ECONNRESET/i);
  await dead.close();
});
