/** A local Cognito with a pool like the program's, its mails, its trigger calls and a clock that tests can set. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { CognitoIdentityProviderClient } from "@aws-sdk/client-cognito-identity-provider";
import { freePort } from "../../../../cli/ports";
import type { ServiceContext } from "../../../../local/lib/service";
import { Cognito } from "../../../../local/services/cognito/cognito";
import type { TriggerEvent } from "../../../../local/services/cognito/state";

export const password = "Correct-horse-1";
export const functionArn = "arn:aws:lambda:us-east-1:000000000000:function:registerUser";
export const poolInputs = {
  name: "auth_user_group",
  usernameAttributes: ["email"],
  usernameConfiguration: { caseSensitive: false },
  autoVerifiedAttributes: ["email"],
  schemas: [
    {
      name: "email",
      attributeDataType: "String",
      required: true,
      stringAttributeConstraints: { minLength: "3", maxLength: "100" },
    },
  ],
  verificationMessageTemplate: { emailSubject: "Your confirmation code", emailMessage: "Use {####} to confirm." },
  passwordPolicy: {
    minimumLength: 8,
    requireLowercase: true,
    requireUppercase: true,
    requireNumbers: true,
    requireSymbols: true,
  },
  lambdaConfig: { postConfirmation: functionArn, postAuthentication: functionArn },
};
export const callback = "http://localhost:5173/callback";
export const clientInputs = {
  name: "auth_user_app",
  generateSecret: false,
  explicitAuthFlows: ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
  preventUserExistenceErrors: "ENABLED",
  allowedOauthFlowsUserPoolClient: true,
  allowedOauthFlows: ["code"],
  allowedOauthScopes: ["openid", "email", "aws.cognito.signin.user.admin"],
  callbackUrls: [callback, "https://shop.example.com/callback"],
  logoutUrls: ["http://localhost:5173/"],
  supportedIdentityProviders: ["COGNITO"],
  accessTokenValidity: 30,
  idTokenValidity: 20,
  refreshTokenValidity: 10,
  tokenValidityUnits: { accessToken: "minutes", idToken: "minutes", refreshToken: "days" },
};

export interface Changes {
  pool?: Record<string, unknown>;
  client?: Record<string, unknown>;
}

/** The signing key of the first system, for all later ones of this process: it takes 0.2 s to generate. */
let signingKey: Buffer | undefined;

export class LocalCognito {
  readonly directory = mkdtempSync(join(tmpdir(), "cognito-"));
  readonly reported: string[] = [];
  readonly events: TriggerEvent[] = [];
  /** What the trigger does. @default it returns the event */
  trigger: (event: TriggerEvent) => Promise<unknown> = async (event) => event;
  /** How far the clock is ahead, in ms. */
  ahead = 0;
  cognito!: Cognito;
  poolId!: string;
  clientId!: string;
  clientSecret!: string;
  sdk!: CognitoIdentityProviderClient;
  readonly #ports = new Map<string, number>();

  readonly context: ServiceContext = {
    directory: this.directory,
    region: "us-east-1",
    accountId: "000000000000",
    port: async (use) => {
      const port = this.#ports.get(use) ?? (await freePort());
      this.#ports.set(use, port);
      return port;
    },
    info: (line) => this.reported.push(line),
  };

  now = () => Date.now() + this.ahead;

  static async start(changes: Changes = {}): Promise<LocalCognito> {
    const local = new LocalCognito();
    await local.restart(changes);
    return local;
  }

  async restart(changes: Changes = {}): Promise<void> {
    await this.cognito?.close();
    const keyFile = join(this.directory, "cognito/signing-key.pem");
    if (signingKey && !existsSync(keyFile)) {
      mkdirSync(dirname(keyFile), { recursive: true, mode: 0o700 });
      writeFileSync(keyFile, signingKey, { mode: 0o600 });
    }
    this.cognito = await Cognito.start(
      this.context,
      async (_arn, event) => {
        this.events.push(event);
        return this.trigger(event);
      },
      { now: this.now },
    );
    signingKey ??= readFileSync(keyFile);
    const pool = await this.make("userPool:UserPool", { ...poolInputs, ...changes.pool });
    this.poolId = pool.id;
    const client = await this.make("userPoolClient:UserPoolClient", {
      ...clientInputs,
      userPoolId: pool.id,
      ...changes.client,
    });
    this.clientId = client.id;
    this.clientSecret = String(client.outputs.clientSecret);
    this.sdk = new CognitoIdentityProviderClient({
      region: "us-east-1",
      endpoint: this.cognito.endpoint,
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
      maxAttempts: 1,
    });
  }

  async make(type: string, inputs: Record<string, unknown>, name = "users") {
    return await this.cognito.handlers[`aws:cognito/${type}`]!({ type: `aws:cognito/${type}`, name, inputs });
  }

  /** The newest code for an address. */
  code(to: string): string {
    return this.cognito.state.mailbox.list().find((mail) => mail.to === to)!.code;
  }

  async dispose(): Promise<void> {
    this.sdk.destroy();
    await this.cognito.close();
    rmSync(this.directory, { recursive: true });
  }
}
