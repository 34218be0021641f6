/**
 * Physical names. The documents fix them; stack `dev` uses them unchanged. If AWS requires a name to be unique in the
 * account (roles, secrets), or CloudWatch identifies resources by it (APIs), every other stack appends its own name, so
 * that several stacks can share an account.
 */
export const documentedName = (name: string, stack: string) => (stack === "dev" ? name : `${name}-${stack}`);

/**
 * The name of a database or its proxy, which is also part of the names of their log groups: 1 to 63 lowercase letters,
 * digits and single hyphens (CreateDBInstance, CreateDBProxy), unique in an account and region.
 */
export const databaseIdentifier = (name: string, project: string, stack: string) =>
  `${project}-${name}-${stack}`
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 63)
    .replace(/-$/, "");

/** `arn:aws:lambda:us-east-1:111122223333:function:…` → the account, without a call to AWS. */
export const accountOf = (arn: string): string => arn.split(":")[4] ?? "";
