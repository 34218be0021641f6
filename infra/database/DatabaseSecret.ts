import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { DatabaseServer } from "./databaseTypes";

export interface DatabaseSecretArgs {
  /** Physical name, read by the function as `SecretName`. Replaces the secret. */
  secretName: string;
  /** Days in which the deleted secret can be restored: 0 (its name is free at once) or 7 to 30. @default 7 */
  recoveryDays?: number;
  /** Whether a {@link SecretRotation} changes the value after the first one. @default false */
  rotated?: boolean;
  /** Pulumi's `protect`. @default true */
  protect?: boolean;
}

/** The secret's value, without the fixed key `engine`. */
export interface DatabaseSecretValue {
  /** The function's own database user, not the administrator. */
  readonly username: pulumi.Input<string>;
  readonly password: pulumi.Input<string>;
  /** Host that the user connects to: the database, or the proxy in front of it. */
  readonly host: pulumi.Input<string>;
  readonly port: pulumi.Input<number>;
  readonly dbClusterIdentifier: pulumi.Input<string>;
}

/**
 * The Secrets Manager secret `ecommerce_secret` (S4): JSON with the six documented keys. It is made without a value,
 * because a proxy needs the secret's ARN and the value contains the proxy's address; {@link write} sets the value.
 */
export class DatabaseSecret extends pulumi.ComponentResource {
  /** The secret's ARN, resolved before the secret has a value. */
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
   * Sets the secret's value, which completes the component. Call it once, in the same turn of the event loop as the
   * constructor.
   * @param serverId {@link DatabaseServer.resourceId}: while the secret is rotated, a new server makes the program
   *   write the first password again, which is the password of that server's new user
   * @returns ARN and name of the secret, resolved once it has the value, and the ID of the version with the value
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
      // The program's password is the first one only; to write it again would undo every rotation. There is one
      // exception: AWS may delete the first version once two rotations have left it without a label. After a refresh
      // has found that, the program writes a new version, and `SecretRotation` rotates at once.
      {
        parent: this,
        ...(this.#rotated ? { ignoreChanges: ["secretString"], replacementTrigger: serverId } : {}),
        // To delete a version the provider removes the labels that Pulumi's state lists, which a rotation has moved
        // since: InvalidParameterException, also at `pulumi destroy`. An unused version is deleted with its secret.
        retainOnDelete: true,
      },
    );
    this.registerOutputs({ arn: this.arn });
    const { name } = this.#secret;
    const secretName = pulumi.all([name, version.versionId]).apply(([secretName]) => secretName);
    return { arn: version.arn, secretName, versionId: version.versionId };
  }
}
