import type { Server } from "node:http";
import { join } from "node:path";
import { listen, stop } from "../../../cli/http";
import {
  type CreateHandler,
  type CreateResult,
  provisioningError,
  type ResourceRegistration,
} from "../../../host/resources";
import { Journal } from "../../lib/journal";
import type { LocalService, ServiceContext } from "../../lib/service";
import { answer } from "./api";
import { clientSettings } from "./clientSettings";
import { Identities } from "./identities";
import { SigningKey } from "./keys";
import { Mailbox } from "./mailbox";
import type { Client, Pool } from "./pools";
import type { Session } from "./sessions";
import { list, number, poolSettings, record } from "./settings";
import type { CognitoState, InvokeTrigger } from "./state";
import { Tokens } from "./tokens";
import { UserStore } from "./users";

export interface CognitoOptions {
  /** ms since 1970. @default the machine's clock */
  readonly now?: () => number;
}

/**
 * Cognito user pools on 127.0.0.1: the unchanged AWS SDK signs people up and in, by the settings of the pools and
 * clients that the program registered. A pool in the data folder that the program no longer registers is not served,
 * because a deployment would have deleted it; its users stay in the folder.
 */
export class Cognito implements LocalService {
  readonly handlers: Readonly<Record<string, CreateHandler>> = {
    "aws:cognito/userPool:UserPool": (resource) => this.#makePool(resource),
    "aws:cognito/userPoolClient:UserPoolClient": (resource) => this.#makeClient(resource),
    "aws:cognito/userPoolDomain:UserPoolDomain": (resource) => this.#makeDomain(resource),
    "aws:cognito/managedLoginBranding:ManagedLoginBranding": (resource) => this.#makeBranding(resource),
    "aws:cognito/resourceServer:ResourceServer": (resource) => this.#makeResourceServer(resource),
  };

  /** What the operations work on; the login pages use it too. */
  readonly state: CognitoState;
  /** The API's URL, for `AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER` or an SDK client's `endpoint`. */
  readonly endpoint: string;
  /** URL of the login pages, for the discovery documents; undefined before the pages are started. */
  loginUrl: string | undefined;

  readonly #context: ServiceContext;
  readonly #pools = new Map<string, Pool>();
  readonly #clients = new Map<string, Client>();
  readonly #identities: Identities;
  #server: Server | undefined;

  private constructor(context: ServiceContext, port: number, invokeTrigger: InvokeTrigger, now: () => number) {
    this.#context = context;
    this.endpoint = `http://127.0.0.1:${port}`;
    this.#identities = new Identities(this.#path("identities.json"));
    this.state = {
      region: context.region,
      pools: this.#pools,
      clients: this.#clients,
      mailbox: new Mailbox(this.#path("mailbox.jsonl")),
      tokens: new Tokens(new SigningKey(this.#path("signing-key.pem")), this.endpoint, now),
      invokeTrigger,
      failures: new Map(),
      now,
      info: (line) => context.info(line),
    };
  }

  /**
   * Starts the endpoint on port `cognito`.
   * @param invokeTrigger calls the functions of `lambdaConfig`
   * @throws CommandError where the port is taken.
   */
  static async start(
    context: ServiceContext,
    invokeTrigger: InvokeTrigger,
    options: CognitoOptions = {},
  ): Promise<Cognito> {
    const port = await context.port("cognito");
    const cognito = new Cognito(context, port, invokeTrigger, options.now ?? Date.now);
    cognito.#server = await listen({ port, use: "cognito" }, (request, response) =>
      answer(cognito.state, (poolId) => cognito.discovery(poolId), request, response),
    );
    return cognito;
  }

  /** Lists the mails as JSON, newest first: `[{ to, subject, body, code, at }]`. */
  get mailboxUrl(): string {
    return `${this.endpoint}/mailbox`;
  }

  /** The issuer of a pool's tokens: its keys are at `/.well-known/jwks.json` below it. */
  issuer(poolId: string): string {
    return this.state.tokens.issuer(poolId);
  }

  pool(id: string): Pool | undefined {
    return this.#pools.get(id);
  }

  /** @see https://docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoints.html */
  discovery(poolId: string): object {
    const issuer = this.issuer(poolId);
    const pages = this.#pools.get(poolId)?.domain ? this.loginUrl : undefined;
    return {
      ...(pages && {
        authorization_endpoint: `${pages}/oauth2/authorize`,
        end_session_endpoint: `${pages}/logout`,
        revocation_endpoint: `${pages}/oauth2/revoke`,
        token_endpoint: `${pages}/oauth2/token`,
        userinfo_endpoint: `${pages}/oauth2/userInfo`,
      }),
      id_token_signing_alg_values_supported: ["RS256"],
      issuer,
      jwks_uri: `${issuer}/.well-known/jwks.json`,
      response_types_supported: ["code"],
      scopes_supported: ["openid", "email", "phone", "profile"],
      subject_types_supported: ["public"],
      token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
      code_challenge_methods_supported: ["S256"],
    };
  }

  async close(): Promise<void> {
    await stop(this.#server);
  }

  #makePool(resource: ResourceRegistration): CreateResult {
    const { name } = resource;
    const settings = poolSettings(resource);
    const { region, accountId } = this.#context;
    const { usernameAttributes, caseSensitive } = settings;
    const fixed = JSON.stringify({ usernameAttributes, caseSensitive });
    const identity = this.#identities.pool(name, region, fixed);
    if (identity.fixed !== fixed) {
      throw provisioningError(
        resource,
        `it was created with ${identity.fixed} and now has ${fixed}. On AWS this change replaces the pool, and ` +
          "all users are lost. Restore the setting, or delete the local data with npm start -- --reset.",
      );
    }
    const { id } = identity;
    const arn = `arn:aws:cognito-idp:${region}:${accountId}:userpool/${id}`;
    const emailIsUsername = usernameAttributes.includes("email");
    const seconds = this.state.now() / 1000;
    this.#pools.set(id, {
      id,
      arn,
      settings,
      users: new UserStore(this.#path(`${id}.users.jsonl`), { emailIsUsername, caseSensitive }),
      sessions: new Journal<Session>(this.#path(`${id}.sessions.jsonl`), (session) => session.expires > seconds),
      customScopes: new Set(),
    });
    return { id, outputs: { arn, name: settings.name, endpoint: this.issuer(id).replace("http://", "") } };
  }

  #makeClient(resource: ResourceRegistration): CreateResult {
    const pool = this.#poolOf(resource);
    const settings = clientSettings(resource, [...pool.customScopes]);
    const { id, secret } = this.#identities.client(pool.id, resource.name, settings.generateSecret);
    this.#clients.set(id, { id, secret, pool, settings, branded: false });
    return { id, outputs: { name: settings.name, clientSecret: secret ?? "" } };
  }

  #makeDomain(resource: ResourceRegistration): CreateResult {
    const { inputs } = resource;
    const pool = this.#poolOf(resource);
    const domain = String(inputs.domain);
    const custom = inputs.certificateArn !== undefined;
    if (!custom && (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(domain) || /aws|amazon|cognito/.test(domain))) {
      throw provisioningError(
        resource,
        `domain is ${JSON.stringify(domain)}; allowed: 1 to 63 lowercase letters, digits and hyphens, ` +
          "no hyphen at either end, without the words aws, amazon, cognito.",
      );
    }
    pool.domain = { name: domain, managedLoginVersion: number(inputs.managedLoginVersion) ?? 1 };
    return {
      id: domain,
      outputs: { awsAccountId: this.#context.accountId, managedLoginVersion: pool.domain.managedLoginVersion },
    };
  }

  #makeBranding(resource: ResourceRegistration): CreateResult {
    const pool = this.#poolOf(resource);
    const client = this.#clients.get(String(resource.inputs.clientId));
    if (client?.pool !== pool) throw provisioningError(resource, "clientId is not an app client of its user pool.");
    client.branded = true;
    const managedLoginBrandingId = `${client.id}-branding`;
    return { id: `${pool.id},${managedLoginBrandingId}`, outputs: { managedLoginBrandingId } };
  }

  #makeResourceServer(resource: ResourceRegistration): CreateResult {
    const { inputs } = resource;
    const pool = this.#poolOf(resource);
    const identifier = String(inputs.identifier);
    const scopeIdentifiers = list(inputs.scopes).map((scope) => `${identifier}/${record(scope).scopeName}`);
    for (const scope of scopeIdentifiers) pool.customScopes.add(scope);
    return { id: `${pool.id}|${identifier}`, outputs: { scopeIdentifiers } };
  }

  #poolOf(resource: ResourceRegistration): Pool {
    const { userPoolId } = resource.inputs;
    const pool = this.#pools.get(String(userPoolId));
    if (!pool) throw provisioningError(resource, `there is no user pool ${JSON.stringify(userPoolId)}.`);
    return pool;
  }

  #path(file: string): string {
    return join(this.#context.directory, "cognito", file);
  }
}
