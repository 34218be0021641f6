/** User pool, app client and managed login (S1). */
import { change, omit } from "../changes";
import type { Mutation } from "../mutation";

const pool = "cognito/userPool:UserPool";
const client = "cognito/userPoolClient:UserPoolClient";
const domain = "cognito/userPoolDomain:UserPoolDomain";
const branding = "cognito/managedLoginBranding:ManagedLoginBranding";

export const users: readonly Mutation[] = [
  {
    name: "only administrators sign people up",
    onAws: "SignUp is refused",
    change: change(pool, { adminCreateUserConfig: { allowAdminCreateUserOnly: true } }),
    caughtBy: { story: "sign-up", says: "SignUp is not permitted" },
  },
  {
    name: "the e-mail address is no user name",
    onAws: "who signs up with an address has no `email` attribute, and no mail goes out",
    change: change(pool, { usernameAttributes: [] }),
    caughtBy: { story: "sign-up", says: "email" },
  },
  {
    name: "user names are case-sensitive",
    onAws: "who writes the address in capitals cannot sign in",
    change: change(pool, { usernameConfiguration: { caseSensitive: true } }),
    caughtBy: { story: "sign-in", says: "Incorrect username or password" },
  },
  {
    name: "the e-mail address is not verified automatically",
    onAws: "nobody gets a code",
    change: change(pool, { autoVerifiedAttributes: [] }),
    caughtBy: { story: "mail", says: "no mail" },
  },
  {
    name: "confirmation by link",
    onAws: "the mail holds a link instead of the documented code",
    change: change(pool, ({ verificationMessageTemplate: template }) => ({
      verificationMessageTemplate: { ...template, defaultEmailOption: "CONFIRM_WITH_LINK" },
    })),
    caughtBy: { start: "CONFIRM_WITH_LINK" },
  },
  {
    name: "the mail's text has no place for the code",
    onAws: "CreateUserPool is refused",
    change: change(pool, ({ verificationMessageTemplate: template }) => ({
      verificationMessageTemplate: { ...template, emailMessage: "Please confirm." },
    })),
    caughtBy: { start: "lacks {####}" },
  },
  {
    name: "addresses up to Cognito's own 2,048 characters",
    onAws: "who has one beyond `User_Email`'s 100 characters is confirmed and has no row",
    change: change(pool, ({ schemas }) => ({
      schemas: schemas.map((schema: object) => ({
        ...schema,
        stringAttributeConstraints: { minLength: "3", maxLength: "2048" },
      })),
    })),
    caughtBy: { story: "address too long" },
  },
  {
    name: "the client does not use the OAuth endpoints",
    onAws: "the login pages refuse the client",
    change: change(client, { allowedOauthFlowsUserPoolClient: false }),
    caughtBy: { story: "sign-in", says: "400" },
  },
  {
    name: "the implicit flow instead of the code",
    onAws: "the login pages answer `unauthorized_client` to a request for a code",
    change: change(client, { allowedOauthFlows: ["implicit"] }),
    caughtBy: { start: "allowedOauthFlows" },
  },
  {
    name: "the client without the scope `openid`",
    onAws: "`invalid_scope`; no token that the API accepts",
    change: change(client, { allowedOauthScopes: ["aws.cognito.signin.user.admin"] }),
    caughtBy: { story: "sign-in", says: "invalid_scope" },
  },
  {
    name: "the scope `email` without `openid`",
    onAws: "CreateUserPoolClient is refused",
    change: change(client, { allowedOauthScopes: ["email", "aws.cognito.signin.user.admin"] }),
    caughtBy: { start: "openid together with email" },
  },
  {
    name: "another callback URL than the app's",
    onAws: "`redirect_mismatch`",
    change: change(client, { callbackUrls: ["https://shop.example.com/"] }),
    caughtBy: { story: "sign-in", says: "400" },
  },
  {
    name: "no identity provider for the client",
    onAws: "the login pages have no way to sign in",
    change: change(client, { supportedIdentityProviders: [] }),
    caughtBy: { start: "supportedIdentityProviders" },
  },
  {
    name: "the client has a secret",
    onAws: "a browser, which has none, is refused",
    change: change(client, { generateSecret: true }),
    caughtBy: { story: "sign-up", says: "secret" },
  },
  {
    name: "refresh tokens that live for ten years",
    onAws: "who once got hold of one stays signed in for ten years",
    change: change(client, { refreshTokenValidity: 3650 }),
    caughtBy: { row: "S1" },
  },
  {
    name: "access tokens that live for a day",
    onAws: "the API serves a person who was deleted or signed out for a day more",
    change: change(client, ({ tokenValidityUnits: units }) => ({
      accessTokenValidity: 24,
      tokenValidityUnits: { ...units, accessToken: "hours" },
    })),
    caughtBy: { row: "S1" },
  },
  {
    name: "managed login version 1",
    onAws: "the classic pages instead of managed login, and the branding has no effect",
    change: change(domain, { managedLoginVersion: 1 }),
    caughtBy: { story: "sign-in", says: "unavailable" },
  },
  {
    name: "no domain",
    onAws: "there are no login pages",
    change: omit(domain),
    caughtBy: { story: "sign-in", says: "400" },
  },
  {
    name: "no branding",
    onAws: "the login pages say that they are unavailable",
    change: omit(branding),
    caughtBy: { story: "sign-in", says: "unavailable" },
  },
];
