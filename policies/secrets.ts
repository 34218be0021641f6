import { type Finding, isRecord, type Rule } from "./rule";

/**
 * Secrets where AWS shows them to whoever may read the resource: environments of functions, descriptions, tags and
 * other plain inputs. The policy SDK unwraps what is marked as a secret in Pulumi's state, so that no rule can tell;
 * that mark is tested in `tests/infra/secrets.test.ts`.
 */
export const noSecretInPlain: Rule = {
  name: "no-secret-in-plain",
  description: "Passwords and keys stand in secrets only.",
  check({ type, props }) {
    // Providers get the stack's configuration, whose secrets Pulumi itself keeps.
    if (type.startsWith("pulumi:") || safes[type] === "everything") return [];
    return texts(props)
      .filter(({ path }) => path[0] !== safes[type])
      .flatMap(looksSecret);
  },
};

/** Inputs made for a secret, which AWS never shows again; Pulumi's SDK or the program marks them as secrets. */
const safes: Record<string, string> = {
  "aws:rds/instance:Instance": "password",
  "aws:rds/cluster:Cluster": "masterPassword",
  "aws:secretsmanager/secretVersion:SecretVersion": "secretString",
  "aws:lambda/invocation:Invocation": "input",
  "mysql:index/user:User": "plaintextPassword",
  "random:index/randomPassword:RandomPassword": "everything",
  // Dynamic resources carry their own code and whatever it needs.
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

/** `SecretName` and `secretArn` only say where one is; `accessToken: "minutes"` is how long Cognito's are good. */
const secretKey =
  /(password|passwd|passphrase|secret|(auth|api|bearer|session)_?token|(api|private|access|signing)_?key)$/i;
/** As a key's last word only: `DB_PASS` and `dbPass`, not `compass`. CodeBuild's `credential` is the name of a secret. */
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
  // API Gateway calls the role of an integration its credentials: an ARN is no secret.
  const named = (secretKey.test(key) || secretWords.includes(lastWord(key))) && !value.startsWith("arn:");
  if (named) kinds.push("a text under a name for secrets");
  return kinds.map((kind) => ({
    got: `${kind} at ${path.join(".")}`,
    allowed: "the name of a secret in Secrets Manager",
    todo: "Hand over the secret's name, and read the secret where it is used.",
  }));
}
