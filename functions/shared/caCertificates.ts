import { readFileSync } from "node:fs";

/** `NODE_EXTRA_CA_CERTS` names a file that cannot be read. The message says what an operator has to do. */
export class AuthoritiesUnreadable extends Error {
  override readonly name = "AuthoritiesUnreadable";
  readonly code = "AUTHORITIES_UNREADABLE";

  constructor(cause: unknown) {
    super("The file that NODE_EXTRA_CA_CERTS names cannot be read; correct the variable or unset it", { cause });
  }
}

/**
 * The certificate authorities to trust for the database: those of RDS, and those of Node's own variable for further
 * ones. Both must be listed, because a list of authorities replaces Node's defaults, including those of that variable.
 * {@link https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html}
 * @param ofRds certificates of RDS's authorities, each in PEM; a bundle has those of one region (`infra/lambda/bundle.ts`)
 * @param extraFile the value of `NODE_EXTRA_CA_CERTS`, a file of certificates in PEM
 * @throws AuthoritiesUnreadable if that file cannot be read
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
