import { type Finding, isRecord, type Rule } from "./rule";

/**
 * Secrets in inputs that AWS shows to everyone who may read the resource: environments of functions, descriptions, tags
 * and other plain inputs. The policy SDK unwraps values that Pulumi's state marks as secret, so that no rule can see
 * the mark; it is tested in `tests/infra/secrets.test.ts`.
 */
export const noSecretInPlain: Rule = {
  name: "no-secret-in-plain",
  description: "Passwords and keys are in secrets only.",
  check({ type, props }) {
    // Providers get the stack's configuration, whose secrets Pulumi itself encrypts.
    if (type.startsWith("pulumi:") || secretInputs[type] === "everything") return [];
    return texts(props)
      .filter(({ path }) => path[0] !== secretInputs[type])
      .flatMap(looksSecret);
  },
};

/** Inputs that are meant for a secret, which AWS does not show; Pulumi's SDK or the program marks them as secrets. */
const secretInputs: Record<string, string> = {
  "aws:rds/instance:Instance": "password",
  "aws:rds/cluster:Cluster": "masterPassword",
  "aws:secretsmanager/secretVersion:SecretVersion": "secretString",
  "aws:lambda/invocation:Invocation": "input",
  "mysql:index/user:User": "plaintextPassword",
  "random:index/randomPassword:RandomPassword": "everything",
  // A dynamic resource's inputs contain its code and everything that the code needs.
  "pulumi-nodejs:dynamic:Resource": "everything",
};

interface Text {
  readonly path: readonly string[];
  readonly value: string;
}

function texts(value: unknown, path: readonly string[] = []): Text[] {
  if (typeof value === "string") return value === "" ? [] : [{ path, value }];
  if (Array.isArray(value)) return value.flatMap((item, index) => texts(item, [...path, String(index)]));
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, item]) => texts(item, [...path, key]));
}

/**
 * Not `SecretName` and `secretArn`, which refer to a secret, nor `accessToken: "minutes"`, the unit of Cognito's
 * validity.
 */
const secretKey =
  /(password|passwd|passphrase|secret|(auth|api|bearer|session)_?token|(api|private|access|signing)_?key)$/i;
/**
 * Only as the last word of a key: `DB_PASS` and `dbPass`, not `compass`. CodeBuild's `credential` is a secret's name.
 */
const secretWords = ["pass", "pwd", "pw", "credentials", "jwt"];
const lastWord = (key: string) =>
  key
    .replace(/([a-z0-9])([A-Z])|([A-Z])(?=[A-Z][a-z])/g, "$1$3_$2")
    .split(/[^A-Za-z0-9]+/)
    .at(-1)!
    .toLowerCase();
const secretValues: Record<string, RegExp> = {
  "a private key": /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  "an access key of AWS": /\b(AKIA|ASIA)[A-Z0-9]{16}\b/,
  "a key of Stripe": /\b[rs]k_(live|test)_[A-Za-z0-9]{8}/,
  "a JSON web token": /\beyJ[\w-]+\.eyJ[\w-]+\.[\w-]/,
  "a URL with a password": /\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@]+:[^\s/@]+@/i,
};

function looksSecret({ path, value }: Text): Finding[] {
  const kinds = Object.entries(secretValues).flatMap(([kind, pattern]) => (pattern.test(value) ? [kind] : []));
  const key = path.at(-1) ?? "";
  // The `credentials` of an integration of API Gateway are the ARN of a role, which is not secret.
  const named = (secretKey.test(key) || secretWords.includes(lastWord(key))) && !value.startsWith("arn:");
  if (named) kinds.push("a text under a key for secrets");
  return kinds.map((kind) => ({
    got: `${kind} at ${path.join(".")}`,
    allowed: "the name of a secret in Secrets Manager",
    todo: "Pass the secret's name, and read the secret where it is used.",
  }));
}
