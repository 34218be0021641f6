import type { CommandError } from "../../../cli/commandError";
import { provisioningError, type ResourceRegistration } from "../../../host/resources";
import { list, number, record, string } from "./settings";

/** An app client as the program describes it, with Cognito's defaults filled in. */
export interface ClientSettings {
  readonly name: string;
  /** For example `ALLOW_USER_PASSWORD_AUTH`. */
  readonly authFlows: ReadonlySet<string>;
  /** Lifetimes in seconds. */
  readonly validity: { readonly access: number; readonly id: number; readonly refresh: number };
  readonly hidesUserExistence: boolean;
  readonly generateSecret: boolean;
  readonly revocation: boolean;
  /** Attributes that tokens and userInfo may carry; undefined for all. */
  readonly readAttributes?: readonly string[];
  /** Undefined if the OAuth endpoints do not serve this client. */
  readonly oauth?: OAuthSettings;
}

export interface OAuthSettings {
  readonly scopes: readonly string[];
  readonly callbackUrls: readonly string[];
  readonly signOutUrls: readonly string[];
  readonly defaultRedirectUri?: string;
}

const secondsPer: Readonly<Record<string, number>> = { seconds: 1, minutes: 60, hours: 3600, days: 86_400 };
const hour = 3600;
const day = 86_400;
const standardScopes = ["openid", "email", "phone", "profile", "aws.cognito.signin.user.admin"];
const defaultFlows = ["ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"];

/**
 * Reads the inputs of an `aws.cognito.UserPoolClient`, with the checks that CreateUserPoolClient makes.
 * @param customScopes scopes of the pool's resource servers, as `identifier/name`.
 * @throws CommandError that names the setting, its value and the allowed values.
 * @see https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html
 */
export function clientSettings(resource: ResourceRegistration, customScopes: readonly string[]): ClientSettings {
  const { name, inputs } = resource;
  const units = record(inputs.tokenValidityUnits);
  const lifetime = (
    token: "accessToken" | "idToken" | "refreshToken",
    otherwise: number,
    least: number,
    most: number,
  ) => {
    const given = number(inputs[`${token}Validity`]);
    const unit = string(units[token]) ?? (token === "refreshToken" ? "days" : "hours");
    // 0 means "the default", as in Cognito and the provider.
    const seconds = given ? given * (secondsPer[unit] ?? Number.NaN) : otherwise;
    if (!(seconds >= least && seconds <= most)) {
      throw notAllowed(resource, `${token}Validity`, `${given} ${unit}`, `${least / 60} minutes to ${most / day} days`);
    }
    return seconds;
  };
  const rotation = record(inputs.refreshTokenRotation).feature;
  if (rotation === "ENABLED")
    throw notAllowed(resource, "refreshTokenRotation.feature", rotation, "DISABLED (it is not simulated)");
  return {
    name: string(inputs.name) ?? name,
    authFlows: new Set(
      inputs.explicitAuthFlows === undefined ? defaultFlows : list(inputs.explicitAuthFlows).map(String),
    ),
    validity: {
      access: lifetime("accessToken", hour, 300, day),
      id: lifetime("idToken", hour, 300, day),
      refresh: lifetime("refreshToken", 30 * day, hour, 3650 * day),
    },
    hidesUserExistence: inputs.preventUserExistenceErrors === "ENABLED",
    generateSecret: inputs.generateSecret === true,
    revocation: inputs.enableTokenRevocation !== false,
    readAttributes: Array.isArray(inputs.readAttributes) ? inputs.readAttributes.map(String) : undefined,
    oauth: inputs.allowedOauthFlowsUserPoolClient === true ? oauthSettings(resource, customScopes) : undefined,
  };
}

function notAllowed(resource: ResourceRegistration, key: string, got: unknown, allowed: string): CommandError {
  return provisioningError(resource, `${key} is ${JSON.stringify(got)}; allowed: ${allowed}.`);
}

function oauthSettings(resource: ResourceRegistration, customScopes: readonly string[]): OAuthSettings {
  const { inputs } = resource;
  const flows = list(inputs.allowedOauthFlows).map(String);
  if (flows.length !== 1 || flows[0] !== "code") {
    throw notAllowed(
      resource,
      "allowedOauthFlows",
      flows,
      '["code"] (implicit and client_credentials are not simulated)',
    );
  }
  const providers = list(inputs.supportedIdentityProviders).map(String);
  if (providers.length !== 1 || providers[0] !== "COGNITO") {
    throw notAllowed(
      resource,
      "supportedIdentityProviders",
      providers,
      '["COGNITO"] (other providers are not simulated)',
    );
  }
  const scopes = list(inputs.allowedOauthScopes).map(String);
  const known = [...standardScopes, ...customScopes];
  if (scopes.length === 0 || scopes.some((scope) => !known.includes(scope))) {
    throw notAllowed(resource, "allowedOauthScopes", scopes, `one or more of ${known.join(", ")}`);
  }
  if (!scopes.includes("openid") && scopes.some((scope) => ["email", "phone", "profile"].includes(scope))) {
    throw notAllowed(resource, "allowedOauthScopes", scopes, "openid together with email, phone or profile");
  }
  const callbackUrls = list(inputs.callbackUrls).map(String);
  const signOutUrls = list(inputs.logoutUrls).map(String);
  if (callbackUrls.length === 0) throw notAllowed(resource, "callbackUrls", callbackUrls, "at least one URL");
  for (const [key, urls] of Object.entries({ callbackUrls, logoutUrls: signOutUrls })) {
    const wrong = urls.find((url) => !isRedirectUrl(url));
    if (wrong !== undefined) {
      throw notAllowed(
        resource,
        key,
        wrong,
        "https URLs, http://localhost, or an app's own scheme, without a fragment",
      );
    }
  }
  const defaultRedirectUri = string(inputs.defaultRedirectUri);
  if (defaultRedirectUri !== undefined && !callbackUrls.includes(defaultRedirectUri)) {
    throw notAllowed(resource, "defaultRedirectUri", defaultRedirectUri, "one of callbackUrls");
  }
  return { scopes, callbackUrls, signOutUrls, defaultRedirectUri };
}

function isRedirectUrl(text: string): boolean {
  if (!URL.canParse(text) || text.includes("#")) return false;
  const { protocol, hostname } = new URL(text);
  return protocol !== "http:" || hostname === "localhost";
}
