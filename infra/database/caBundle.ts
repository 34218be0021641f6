import { X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { rootCertificates } from "node:tls";
import { rdsCaCerts, readCertificates } from "./rdsCaCerts";

/** Files in which Linux distributions and macOS keep the authorities that the system trusts. */
const systemFiles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/**
 * Authorities for a program that trusts one file and nothing else, as Go programs do by `SSL_CERT_FILE`: Node's, the
 * system's and RDS's, each once.
 *
 * @param files PEM files to include as well; a file that cannot be read is an error, as in `readCertificates`
 * @returns PEM text
 */
export function caBundle(files: readonly string[]): string {
  const own = [...rootCertificates, ...files.flatMap(readCertificates)].map((text) => `${text.trim()}\n`);
  const byFingerprint = new Map(own.map((text) => [new X509Certificate(text).fingerprint256, text]));
  return [...byFingerprint.values()].join("") + rdsCaCerts();
}

const usage = `npm run ca-bundle

Writes the certificate authorities by which \`pulumi up\` verifies the database, and prints the line that makes Pulumi's
mysql provider use them (Linux). Takes no arguments; the files in SSL_CERT_FILE and NODE_EXTRA_CA_CERTS are included.

  --help   show this`;

/** `npm run ca-bundle`: writes the bundle under `.build/` and prints the line that makes Pulumi's provider use it. */
function main(args: readonly string[]): void {
  if (args.length > 0) {
    const help = args.length === 1 && args[0] === "--help";
    if (help) console.log(usage);
    else console.error(`Expected no arguments, got ${args.join(" ")}.\n\n${usage}`);
    process.exitCode = help ? 0 : 1;
    return;
  }
  const file = path.resolve(__dirname, "../.build/ca-bundle.pem");
  const named = [process.env.SSL_CERT_FILE, process.env.NODE_EXTRA_CA_CERTS].filter((name) => name && name !== file);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, caBundle([...systemFiles.filter((name) => existsSync(name)), ...(named as string[])]));
  console.log(`Written: ${file}\nOn Linux, make Pulumi's mysql provider verify RDS with it:\n`);
  console.log(`  export SSL_CERT_FILE='${file.replaceAll("'", "'\\''")}'\n`);
  if (process.platform !== "linux") {
    console.log(
      "This is not Linux: here the provider uses the system's certificate store, so add the bundle to that store.",
    );
  }
}

if (require.main === module) main(process.argv.slice(2));
