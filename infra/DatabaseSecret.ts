import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

export interface DatabaseSecretArgs {
  /** Physical name, read by the function as `SecretName`. Replaces the secret. */
  secretName: string;
  /** The function's own database user, not the administrator. */
  username: pulumi.Input<string>;
  password: pulumi.Input<string>;
  host: pulumi.Input<string>;
  port: pulumi.Input<number>;
  dbClusterIdentifier: pulumi.Input<string>;
  /** Days in which the deleted secret can be restored: 0 (its name is free at once) or 7 to 30. @default 7 */
  recoveryDays?: number;
  /** Whether a {@link SecretRotation} writes the value, once it was made. @default false */
  rotated?: boolean;
  /** Pulumi's `protect`. @default true */
  protect?: boolean;
}

/** The Secrets Manager secret `ecommerce_secret` (S4): JSON with the six documented keys. */
export class DatabaseSecret extends pulumi.ComponentResource {
  readonly arn: pulumi.Output<string>;
  /** The secret's name, known once it has a value. */
  readonly secretName: pulumi.Output<string>;

  constructor(name: string, args: DatabaseSecretArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ecommerce:database:DatabaseSecret", name, {}, opts);

    const secret = new aws.secretsmanager.Secret(
      name,
      {
        name: args.secretName,
        description: "How the registration function connects to MySQL",
        recoveryWindowInDays: args.recoveryDays ?? 7,
      },
      { parent: this, protect: args.protect ?? true },
    );
    const version = new aws.secretsmanager.SecretVersion(
      `${name}-value`,
      {
        secretId: secret.id,
        secretString: pulumi.secret(
          pulumi.jsonStringify({
            username: args.username,
            password: args.password,
            engine: "mysql",
            host: args.host,
            port: args.port,
            dbClusterIdentifier: args.dbClusterIdentifier,
          }),
        ),
      },
      // The program's password is the first one only; to write it again would undo every rotation.
      { parent: this, ignoreChanges: args.rotated ? ["secretString"] : [] },
    );

    this.arn = version.arn;
    this.secretName = pulumi.all([secret.name, version.versionId]).apply(([secretName]) => secretName);
    this.registerOutputs({ arn: this.arn, secretName: this.secretName });
  }
}
