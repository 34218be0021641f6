import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

export interface UserPoolArgs {
  /** Region of the pool, for the address of the login pages. */
  region: string;
  /**
   * First label of the managed login domain, unique in the region. Replaces the domain: no login pages for a minute.
   */
  domainPrefix: string;
  /** Where the login pages may send people after sign-in. */
  callbackUrls: readonly string[];
  /** Where the login pages may send people after sign-out. */
  signOutUrls: readonly string[];
  /** The function that registers confirmed people (S6). */
  registration: {
    /** ARN of the function for the triggers. */
    functionArn: pulumi.Input<string>;
  };
  /** The buffer, whose function is called after a confirmation instead. @default registration */
  buffer?: { functionArn: pulumi.Input<string> };
  /**
   * Allow uploads only through a confidential app client, `auth_writer_app`: only it may request the scope for uploads.
   * Its secret belongs on a server, such as that of a shop's back office. @default false
   */
  separateWriters?: boolean;
  /** Cognito's deletion protection and Pulumi's `protect`. @default true */
  protect?: boolean;
}

/** `users.User_Email` is varchar(100); Cognito itself would accept 2,048 characters. */
const longestEmail = "100";

/**
 * Where people sign up and sign in (S1): the user pool `auth_user_group`, its app client `auth_user_app`, and managed
 * login with its domain and branding. Confirmation is by a code sent to the e-mail address; after it, and after each
 * sign-in, Cognito calls the registration function (S6).
 */
export class UserPool extends pulumi.ComponentResource {
  readonly id: pulumi.Output<string>;
  readonly arn: pulumi.Output<string>;
  readonly clientId: pulumi.Output<string>;
  /** The login page for the first callback URL; the redirect contains an authorization code. */
  readonly signInUrl: pulumi.Output<string>;
  /** The scope that an upload needs. */
  readonly writeScope: string;

  constructor(name: string, args: UserPoolArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ecommerce:users:UserPool", name, {}, opts);
    const pool = userPool(name, args, this);
    const client = appClient(name, args, pool, this);
    const domain = managedLogin(name, args, pool, client, this);
    if (args.separateWriters ?? false) writers(name, args, pool, this);

    this.id = pool.id;
    this.arn = pool.arn;
    this.clientId = client.id;
    this.writeScope = args.separateWriters ? `${imagesApi}/${write}` : "openid";
    const query = pulumi.interpolate`client_id=${client.id}&response_type=code&scope=${scopes.join("+")}`;
    const callback = encodeURIComponent(args.callbackUrls[0] ?? "");
    this.signInUrl = pulumi.interpolate`https://${domain.domain}.auth.${args.region}.amazoncognito.com/login?${query}&redirect_uri=${callback}`;
    this.registerOutputs({ id: this.id, arn: this.arn, clientId: this.clientId, signInUrl: this.signInUrl });
  }
}

const scopes = ["openid", "email", "aws.cognito.signin.user.admin"];

function userPool(name: string, args: UserPoolArgs, parent: pulumi.Resource) {
  const protect = args.protect ?? true;
  return new aws.cognito.UserPool(
    name,
    {
      name: "auth_user_group",
      userPoolTier: "ESSENTIALS",
      usernameAttributes: ["email"],
      usernameConfiguration: { caseSensitive: false },
      autoVerifiedAttributes: ["email"],
      schemas: [
        {
          name: "email",
          attributeDataType: "String",
          required: true,
          mutable: true,
          stringAttributeConstraints: { minLength: "3", maxLength: longestEmail },
        },
      ],
      // A changed address is valid only after its owner has entered the code that was sent to it.
      userAttributeUpdateSettings: { attributesRequireVerificationBeforeUpdates: ["email"] },
      verificationMessageTemplate: {
        defaultEmailOption: "CONFIRM_WITH_CODE",
        emailSubject: "Your confirmation code",
        emailMessage: "Your confirmation code is {####}.",
      },
      emailConfiguration: { emailSendingAccount: "COGNITO_DEFAULT" },
      accountRecoverySetting: { recoveryMechanisms: [{ name: "verified_email", priority: 1 }] },
      passwordPolicy: {
        minimumLength: 8,
        requireLowercase: true,
        requireUppercase: true,
        requireNumbers: true,
        requireSymbols: true,
        temporaryPasswordValidityDays: 7,
      },
      lambdaConfig: {
        postConfirmation: (args.buffer ?? args.registration).functionArn,
        postAuthentication: args.registration.functionArn,
      },
      deletionProtection: protect ? "ACTIVE" : "INACTIVE",
    },
    { parent, protect },
  );
}

function appClient(name: string, args: UserPoolArgs, pool: aws.cognito.UserPool, parent: pulumi.Resource) {
  return new aws.cognito.UserPoolClient(
    `${name}-client`,
    {
      name: "auth_user_app",
      ...clientSettings(args, pool),
      // A browser cannot keep a secret: PKCE protects the authorization code instead.
      generateSecret: false,
      allowedOauthScopes: scopes,
      explicitAuthFlows: ["ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    },
    { parent },
  );
}

/** What every app client of the pool has in common. */
const clientSettings = (args: UserPoolArgs, pool: aws.cognito.UserPool) => ({
  userPoolId: pool.id,
  allowedOauthFlowsUserPoolClient: true,
  allowedOauthFlows: ["code"],
  callbackUrls: [...args.callbackUrls],
  logoutUrls: [...args.signOutUrls],
  supportedIdentityProviders: ["COGNITO"],
  preventUserExistenceErrors: "ENABLED",
  enableTokenRevocation: true,
  accessTokenValidity: 60,
  idTokenValidity: 60,
  refreshTokenValidity: 30,
  tokenValidityUnits: { accessToken: "minutes", idToken: "minutes", refreshToken: "days" },
});

const imagesApi = "images";
const write = "write";

/** The scope for uploads, and the only client that may request it. */
function writers(name: string, args: UserPoolArgs, pool: aws.cognito.UserPool, parent: pulumi.Resource) {
  const server = new aws.cognito.ResourceServer(
    `${name}-images`,
    {
      userPoolId: pool.id,
      identifier: imagesApi,
      name: "Product images",
      scopes: [{ scopeName: write, scopeDescription: "Upload pictures" }],
    },
    { parent },
  );
  const client = new aws.cognito.UserPoolClient(
    `${name}-writer`,
    {
      name: "auth_writer_app",
      ...clientSettings(args, pool),
      generateSecret: true,
      allowedOauthScopes: [...scopes, `${imagesApi}/${write}`],
      explicitAuthFlows: ["ALLOW_REFRESH_TOKEN_AUTH"],
    },
    { parent, dependsOn: server },
  );
  branding(`${name}-writer-branding`, pool, client, parent);
}

/** Managed login version 2, on a domain of Cognito's. */
function managedLogin(
  name: string,
  args: UserPoolArgs,
  pool: aws.cognito.UserPool,
  client: aws.cognito.UserPoolClient,
  parent: pulumi.Resource,
) {
  const domain = new aws.cognito.UserPoolDomain(
    `${name}-domain`,
    { userPoolId: pool.id, domain: args.domainPrefix, managedLoginVersion: 2 },
    // A pool has one domain with a prefix: a second one is refused while the first is there.
    { parent, deleteBeforeReplace: true },
  );
  branding(`${name}-branding`, pool, client, parent);
  return domain;
}

/** Cognito's default branding of a client's login pages. Without branding they answer that they are unavailable. */
function branding(
  name: string,
  pool: aws.cognito.UserPool,
  client: aws.cognito.UserPoolClient,
  parent: pulumi.Resource,
): void {
  new aws.cognito.ManagedLoginBranding(
    name,
    { userPoolId: pool.id, clientId: client.id, useCognitoProvidedValues: true },
    { parent },
  );
}
