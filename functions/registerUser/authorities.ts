import { readFileSync } from "node:fs";
import { AuthoritiesUnreadable } from "./errors";

/** The region in the subject of one of RDS's authorities, for example "Amazon RDS eu-west-1 Root CA RSA2048 G1". */
const REGION_OF_AUTHORITY = /Amazon RDS ([a-z]{2}(?:-[a-z]+)+-\d+) /;

/**
 * The authorities that may vouch for the database: those of RDS, and those of Node's own variable for further ones,
 * because naming authorities replaces Node's defaults, that variable's included.
 *
 * RDS has an authority for each region, and OpenSSL needs 15 ms for all 120 but less than 1 ms for one region's. So
 * the others' are left out, which also means that no other region vouches for this one's database.
 * {@link https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html}
 * @param all certificates of RDS's authorities, each in PEM
 * @param region the function's; where none of the authorities names it, all are kept
 * @param extraFile the value of `NODE_EXTRA_CA_CERTS`, a file of certificates in PEM
 * @throws AuthoritiesUnreadable where that file cannot be read
 */
export function authorities(
  all: readonly string[],
  region: string | undefined,
  extraFile: string | undefined,
): string[] {
  const regions = all.map(regionOf);
  const known = region !== undefined && regions.includes(region);
  const chosen = known ? all.filter((_, i) => regions[i] === undefined || regions[i] === region) : [...all];
  return extraFile ? [...chosen, read(extraFile)] : chosen;
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new AuthoritiesUnreadable(error);
  }
}

/** Finds the name as bytes in the certificate: parsing 120 of them properly would cost what leaving them out saves. */
function regionOf(certificate: string): string | undefined {
  const body = certificate.replace(/-----[^-]+-----/g, "");
  return REGION_OF_AUTHORITY.exec(Buffer.from(body, "base64").toString("latin1"))?.[1];
}
