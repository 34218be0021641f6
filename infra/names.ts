/**
 * Physical names. The documents fix them; stack `dev` carries them as they are. Where AWS wants a name to be unique in
 * the account (roles, secrets), every other stack carries its own name behind it, so that stacks share an account.
 */
export const documentedName = (name: string, stack: string) => (stack === "dev" ? name : `${name}-${stack}`);
