import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { DatabaseServer } from "./databaseTypes";

export interface DatabaseSecretArgs {
  /** Physical name, read by the function as `SecretName`. Replaces the secret. */
  secretName: string;
  /** Days in which the deleted secret can be restored: 0 (its name is free at once) or 7 to 30. @default 7 */
  recoveryDays?: number;
  /** Whether a {@link SecretRotation} writes the value, once it was made. @default false */
  rotated?: boolean;
  /** Pulumi's `protect`. @default true */
  protect?: boolean;
}

/** What the secret tells whoever may read it. */
export interface DatabaseSecretValue {
  /** The function's own database user, not the administrator. */
  readonly username: pulumi.Input<string>;
  readonly password: pulumi.Input<string>;
  /** Where that user connects: the database, or the proxy in front of it. */
  readonly host: pulumi.Input<string>;
  readonly port: pulumi.Input<number>;
  readonly dbClusterIdentifier: pulumi.Input<string>;
}

/**
 * The Secrets Manager secret `ecommerce_secret` (S4): JSON with the six documented keys. Made without a value, so that
 * a proxy can be told of the secret before the secret is told of the proxy; {@link write} gives it the value.
 */
export class DatabaseSecret extends pulumi.ComponentResource {
  /** The secret's ARN, known before it has a value. */
  readonly arn: pulumi.Output<string>;
  readonly #name: string;
  readonly #secret: aws.secretsmanager.Secret;
  readonly #rotated: boolean;

  constructor(name: string, args: DatabaseSecretArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ecommerce:database:DatabaseSecret", name, {}, opts);
    this.#name = name;
    this.#rotated = args.rotated ?? false;
    this.#secret = new aws.secretsmanager.Secret(
      name,
      {
        name: args.secretName,
        description: "How the registration function connects to MySQL",
        recoveryWindowInDays: args.recoveryDays ?? 7,
      },
      { parent: this, protect: args.protect ?? true },
    );
    this.arn = this.#secret.arn;
  }

  /**
   * Gives the secret its value, which completes the component; once, in the turn of the event loop that made it.
   * @param serverId {@link DatabaseServer.resourceId}: while the secret is rotated, another server gets the first password
   *   back, which is the one that its new user has
   * @returns ARN and name of the secret, known once it has the value, and the ID of the version that holds it
   */
  write(
    value: DatabaseSecretValue,
    serverId: pulumi.Input<string>,
  ): {
    readonly arn: pulumi.Output<string>;
    readonly secretName: pulumi.Output<string>;
    readonly versionId: pulumi.Output<string>;
  } {
    const version = new aws.secretsmanager.SecretVersion(
      `${this.#name}-value`,
      {
        secretId: this.#secret.id,
        secretString: pulumi.secret(
          pulumi.jsonStringify({
            username: value.username,
            password: value.password,
            engine: "mysql",
            host: value.host,
            port: value.port,
            dbClusterIdentifier: value.dbClusterIdentifier,
          }),
        ),
      },
      // The program's password is the first one only; to write it again would undo every rotation. It happens all the
      // same where a refresh finds the version gone, which AWS may delete once two rotations have left it without a
      // label: then there is another version, at which `SecretRotation` rotates at once.
      {
        parent: this,
        ...(this.#rotated ? { ignoreChanges: ["secretString"], replacementTrigger: serverId } : {}),
        // To delete a version the provider takes away the labels that Pulumi's state has, which a rotation has moved
        // since: InvalidParameterException, also at `pulumi destroy`. A version that nothing needs goes with its secret.
        retainOnDelete: true,
      },
    );
    this.registerOutputs({ arn: this.arn });
    const { name } = this.#secret;
    const secretName = pulumi.all([name, version.versionId]).apply(([written]) => written);
    return { arn: version.arn, secretName, versionId: version.versionId };
  }
}
