/**
 * Physical names. The documents fix them; stack `dev` carries them as they are. Where AWS wants a name to be unique in
 * the account (roles, secrets), or CloudWatch knows things by it (APIs), every other stack carries its own name behind
 * it, so that stacks share an account.
 */
export const documentedName = (name: string, stack: string) => (stack === "dev" ? name : `${name}-${stack}`);

/**
 * The name of a database or its proxy, which RDS also names their logs after: 1 to 63 lowercase letters, digits and
 * single hyphens (CreateDBInstance, CreateDBProxy); an account and region have it once.
 */
export const databaseIdentifier = (name: string, project: string, stack: string) =>
  `${project}-${name}-${stack}`
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 63)
    .replace(/-$/, "");

/** `arn:aws:lambda:us-east-1:111122223333:function:…` → the account: no question to AWS for what an ARN tells. */
export const accountOf = (arn: string): string => arn.split(":")[4] ?? "";
