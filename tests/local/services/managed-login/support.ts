import { createHash, randomBytes } from "node:crypto";
import type { TimeLimits } from "../../../../cli/http";
import { ManagedLogin } from "../../../../local/services/managed-login/login";
import { type Changes, callback, LocalCognito, password } from "../cognito/support";
import { Browser } from "./browser";

export { callback, password };
export const email = "ada@example.com";
export const allScopes = "openid email aws.cognito.signin.user.admin";

/** The pages for a deployed pool, client, domain and branding. */
export class LocalLogin {
  login!: ManagedLogin;
  browser!: Browser;
  /** PKCE's verifier for the next request. */
  readonly verifier = randomBytes(32).toString("base64url");

  private constructor(readonly local: LocalCognito) {}

  static async start(
    changes: Changes & { domain?: object | null; branded?: boolean; limits?: TimeLimits } = {},
  ): Promise<LocalLogin> {
    const created = new LocalLogin(await LocalCognito.start(changes));
    const { local } = created;
    const { domain = {}, branded = true } = changes;
    if (domain) {
      const inputs = { userPoolId: local.poolId, domain: "ecommerce-dev", managedLoginVersion: 2, ...domain };
      await local.make("userPoolDomain:UserPoolDomain", inputs);
    }
    if (branded) {
      const inputs = { userPoolId: local.poolId, clientId: local.clientId, useCognitoProvidedValues: true };
      await local.make("managedLoginBranding:ManagedLoginBranding", inputs);
    }
    created.login = await ManagedLogin.start(local.context, local.cognito, changes.limits);
    created.browser = new Browser(created.login.url);
    return created;
  }

  /** An authorization request; undefined removes a parameter. */
  request(changes: Record<string, string | undefined> = {}, path = "/oauth2/authorize"): string {
    const parameters = {
      client_id: this.local.clientId,
      redirect_uri: callback,
      response_type: "code",
      scope: allScopes,
      state: "a state/&=",
      code_challenge: createHash("sha256").update(this.verifier).digest("base64url"),
      code_challenge_method: "S256",
      ...changes,
    };
    const given = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined);
    return `${path}?${new URLSearchParams(given)}`;
  }

  /** Signs up and confirms on the pages. @returns the address that the browser was sent to at the end */
  async signUp(username = email, request = this.request()): Promise<string> {
    await this.browser.open(request);
    await this.browser.open(/href="(\/signup[^"]*)"/.exec(this.browser.page)![1]!.replaceAll("&amp;", "&"));
    await this.browser.submit("/signup", { username, password, repeat: password });
    return this.browser.submit("/confirm", { code: this.local.code(username) });
  }

  async signIn(request = this.request(), username = email, given = password): Promise<string> {
    await this.browser.open(request);
    return this.browser.submit("/login", { username, password: given });
  }

  token(fields: Record<string, string | undefined>, headers: Record<string, string> = {}) {
    const given = Object.entries({ client_id: this.local.clientId, ...fields }).filter(
      (entry) => entry[1] !== undefined,
    );
    const body = new URLSearchParams(given as [string, string][]);
    return fetch(`${this.login.url}/oauth2/token`, { method: "POST", body, headers });
  }

  exchange(code: string, changes: Record<string, string | undefined> = {}, headers?: Record<string, string>) {
    const fields = { grant_type: "authorization_code", code, redirect_uri: callback, code_verifier: this.verifier };
    return this.token({ ...fields, ...changes }, headers);
  }

  async dispose(): Promise<void> {
    await this.login.close();
    await this.local.dispose();
  }
}

export function parameter(url: string, name: string): string {
  const value = new URL(url).searchParams.get(name);
  if (value === null) throw new Error(`No ${name} in ${url}`);
  return value;
}
