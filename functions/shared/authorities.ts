import { readFileSync } from "node:fs";

/** `NODE_EXTRA_CA_CERTS` names a file that cannot be read. The message tells an operator what to do. */
export class AuthoritiesUnreadable extends Error {
  override readonly name = "AuthoritiesUnreadable";
  readonly code = "AUTHORITIES_UNREADABLE";

  constructor(cause: unknown) {
    super("The file that NODE_EXTRA_CA_CERTS names cannot be read; correct the variable or unset it", { cause });
  }
}

/**
 * The authorities that may vouch for the database: those of RDS, and those of Node's own variable for further ones,
 * because naming authorities replaces Node's defaults, that variable's included.
 * {@link https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html}
 * @param ofRds certificates of RDS's authorities, each in PEM; a bundle has those of one region (`infra/lambda/bundle.ts`)
 * @param extraFile the value of `NODE_EXTRA_CA_CERTS`, a file of certificates in PEM
 * @throws AuthoritiesUnreadable where that file cannot be read
 */
export function authorities(ofRds: readonly string[], extraFile: string | undefined): string[] {
  return extraFile ? [...ofRds, read(extraFile)] : [...ofRds];
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new AuthoritiesUnreadable(error);
  }
}
