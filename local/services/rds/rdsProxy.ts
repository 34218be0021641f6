/** RDS Proxy: a relay in front of the one MySQL server of this machine. */

import path from "node:path";
import type * as sdk from "@aws-sdk/client-secrets-manager";
import {
  type CreateHandler,
  type CreateResult,
  provisioningError,
  type ResourceRegistration,
} from "../../../host/resources";
import { ensureCertificates } from "../../lib/certificates";
import { boolean, number, optional, required, string, strings } from "../../lib/inputs";
import type { LocalService, ServiceContext } from "../../lib/service";
import { type Refusal, startTlsProxy, type TlsProxy } from "../../mysql/tlsProxy";
import type { Iam } from "../iam/iam";
import type { MySql } from "./MySql";
import { type Database, range, readIdentifier, resourceIdOf } from "./rds";

export interface RdsProxiesOptions {
  readonly iam: Iam;
  readonly mysql: Pick<MySql, "administrator" | "database">;
  /** URL of Secrets Manager: each proxy reads its secrets there, with its role. */
  readonly secretsEndpoint: string;
}

interface RdsProxy {
  readonly name: string;
  readonly roleArn: string;
  /** ARNs of the secrets of the users that it accepts. */
  readonly secretArns: readonly string[];
  readonly port: number;
  readonly relay: TlsProxy;
  /** Reads the secrets, with the role. */
  readonly secrets: sdk.SecretsManagerClient;
  target: Database | undefined;
}

/**
 * The proxies that the program registered. Each listens as soon as it is registered, on its own port, with the server's
 * host name and certificate. It refuses all connections until it has a target. Then it accepts the users of its
 * secrets, and the server checks their passwords. Not simulated: pooling and pinning of connections, and IAM
 * authentication.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.howitworks.html
 */
export class RdsProxies implements LocalService {
  readonly handlers: Readonly<Record<string, CreateHandler>> = {
    "aws:rds/proxy:Proxy": (resource) => this.#makeProxy(resource),
    "aws:rds/proxyDefaultTargetGroup:ProxyDefaultTargetGroup": (resource) => this.#makeTargetGroup(resource),
    "aws:rds/proxyTarget:ProxyTarget": (resource) => this.#makeTarget(resource),
  };
  readonly #proxies = new Map<string, RdsProxy>();

  constructor(
    private readonly context: ServiceContext,
    private readonly options: RdsProxiesOptions,
  ) {}

  async close(): Promise<void> {
    const ended = [...this.#proxies.values()].map(({ relay, secrets }) => {
      secrets.destroy();
      return relay.close();
    });
    await Promise.all(ended);
  }

  /** Reasons why a proxy would refuse all connections. Call this when everything is registered. */
  async problems(): Promise<string[]> {
    const all = [...this.#proxies.values()].map(async (proxy) => {
      if (proxy.target === undefined) return `the proxy "${proxy.name}" has no target`;
      const users = await this.#usersOf(proxy).catch((error: Error) => error);
      return users instanceof Error ? users.message : undefined;
    });
    return (await Promise.all(all)).filter((reason) => reason !== undefined);
  }

  async #makeProxy(resource: ResourceRegistration): Promise<CreateResult> {
    const settings = readProxy(resource, this.options.iam);
    const { name } = settings;
    const port = await this.context.port(`proxy ${name}`);
    const certificates = await ensureCertificates(path.join(this.context.directory, "tls"));
    const target = { host: "127.0.0.1", port: this.options.mysql.administrator.port };
    const gate = {
      closed: () => (this.#proxies.get(name)?.target ? undefined : noTarget),
      refuses: (user: string) => this.#refuses(name, user),
    };
    const relay = await startTlsProxy({ port, target, certificates, gate });
    relay.requireSecureTransport(boolean(resource, "requireTls") ?? false);
    this.#proxies.set(name, {
      ...settings,
      port,
      relay,
      secrets: this.#secretsFor(settings.roleArn),
      target: undefined,
    });
    const arn = `${this.#arn}db-proxy:${resourceIdOf("prx", name).toLowerCase()}`;
    return { id: name, outputs: { name, arn, endpoint: "localhost" } };
  }

  #makeTargetGroup(resource: ResourceRegistration): CreateResult {
    const { name } = this.#find(resource);
    const pool = {
      ...resource,
      inputs: (resource.inputs.connectionPoolConfig ?? {}) as ResourceRegistration["inputs"],
    };
    range(pool, "maxConnectionsPercent", 1, 100, "percent");
    range(pool, "maxIdleConnectionsPercent", 0, number(pool, "maxConnectionsPercent") ?? 100, "percent");
    range(pool, "connectionBorrowTimeout", 0, 300, "seconds");
    const arn = `${this.#arn}target-group:${resourceIdOf("prx-tg", name).toLowerCase()}`;
    return { id: name, outputs: { name: "default", arn } };
  }

  #makeTarget(resource: ResourceRegistration): CreateResult {
    const proxy = this.#find(resource);
    required(resource, "targetGroupName", "default, the one group that a proxy has", /^default$/);
    const [instance, cluster] = [string(resource, "dbInstanceIdentifier"), string(resource, "dbClusterIdentifier")];
    if ((instance === undefined) === (cluster === undefined)) {
      throw provisioningError(resource, "either dbInstanceIdentifier or dbClusterIdentifier must be given.");
    }
    const kind = instance === undefined ? "cluster" : "instance";
    const identifier = instance ?? cluster;
    const { database } = this.options.mysql;
    if (database?.kind !== kind || database.identifier !== identifier) {
      const known = database ? `the ${database.kind} ${database.identifier}` : "none";
      throw provisioningError(resource, `there is no ${kind} ${identifier}; databases: ${known}.`);
    }
    proxy.target = database;
    return {
      id: `${proxy.name}/default/${kind === "cluster" ? "TRACKED_CLUSTER" : "RDS_INSTANCE"}/${identifier}`,
      outputs: {
        endpoint: "localhost",
        // On AWS this is the database's port, and also the proxy's: every proxy listens on 3306. On this machine the
        // proxy and the database share a host name, so the proxy has another port, and its clients read it from here.
        port: proxy.port,
        rdsResourceId: identifier,
        targetArn: `${this.#arn}${kind === "cluster" ? "cluster" : "db"}:${identifier}`,
        trackedClusterId: cluster ?? "",
        type: kind === "cluster" ? "TRACKED_CLUSTER" : "RDS_INSTANCE",
      },
    };
  }

  get #arn(): string {
    return `arn:aws:rds:${this.context.region}:${this.context.accountId}:`;
  }

  #find(resource: ResourceRegistration): RdsProxy {
    const name = required(resource, "dbProxyName", "a proxy's name", /./);
    const found = this.#proxies.get(name);
    if (found) return found;
    throw provisioningError(
      resource,
      `there is no proxy ${name}; proxies: ${[...this.#proxies.keys()].join(", ") || "none"}.`,
    );
  }

  async #refuses(name: string, user: string): Promise<Refusal | undefined> {
    try {
      const users = await this.#usersOf(this.#proxies.get(name)!);
      if (users.includes(user)) return undefined;
    } catch (error) {
      this.context.info(`A connection was refused: ${(error as Error).message}`);
    }
    const text = `Access denied for user '${user}': no secret of the proxy ${name} holds that user.`;
    return { number: 1045, state: "28000", text };
  }

  /**
   * The users of a proxy's secrets, as they are now.
   * @throws Error if the proxy's role may not read a secret, or a secret has no username or no password
   */
  async #usersOf({ name, secrets, secretArns }: RdsProxy): Promise<string[]> {
    const { GetSecretValueCommand } = loadSdk();
    const userOf = async (SecretId: string) => {
      const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId }));
      return userIn(SecretString);
    };
    try {
      return await Promise.all(secretArns.map(userOf));
    } catch (error) {
      throw new Error(`the proxy "${name}" cannot use its secret: ${(error as Error).message}`);
    }
  }

  #secretsFor(roleArn: string): sdk.SecretsManagerClient {
    const { iam, secretsEndpoint: endpoint } = this.options;
    const { SecretsManagerClient } = loadSdk();
    const credentials = iam.credentialsFor(roleArn);
    return new SecretsManagerClient({ region: this.context.region, endpoint, credentials, maxAttempts: 1 });
  }
}

/** Loads the SDK on demand: only a program with a proxy needs it. */
const loadSdk = () => require("@aws-sdk/client-secrets-manager") as typeof sdk;

/** The error of a proxy that gets no connection to a database in time. */
const noTarget: Refusal = { number: 9501, state: "HY000", text: "Timed-out waiting to acquire database connection" };

/**
 * Checks the inputs against what CreateDBProxy accepts.
 * https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBProxy.html
 */
function readProxy(resource: ResourceRegistration, iam: Iam) {
  const name = readIdentifier(resource, "name");
  required(resource, "engineFamily", "MYSQL", /^MYSQL$/);
  optional(resource, "defaultAuthScheme", "NONE: IAM authentication is not simulated", /^NONE$/);
  const roleArn = required(resource, "roleArn", "a role's ARN", /^arn:/);
  if (!iam.assumableBy(roleArn, "rds.amazonaws.com")) {
    throw provisioningError(
      resource,
      `RDS is not authorized to assume the role ${roleArn}: its trust policy names another service.`,
    );
  }
  if (strings(resource, "vpcSubnetIds").length < 2) {
    throw provisioningError(resource, "vpcSubnetIds must name at least two subnets, in two zones.");
  }
  range(resource, "idleClientTimeout", 1, 28_800, "seconds");
  const auths = (resource.inputs.auths ?? []) as Record<string, unknown>[];
  if (auths.length === 0)
    throw provisioningError(resource, "auths is empty: name a secret with username and password.");
  const secretArns = auths.map((auth) => {
    const one = { ...resource, inputs: auth };
    optional(one, "authScheme", "SECRETS", /^SECRETS$/);
    optional(one, "iamAuth", "DISABLED: IAM authentication is not simulated", /^DISABLED$/);
    const types = "MYSQL_CACHING_SHA2_PASSWORD or MYSQL_NATIVE_PASSWORD";
    optional(one, "clientPasswordAuthType", types, /^MYSQL_(CACHING_SHA2|NATIVE)_PASSWORD$/);
    return required(one, "secretArn", "a secret's ARN", /^arn:/);
  });
  return { name, roleArn, secretArns };
}

/** @throws Error whose message contains nothing of the secret's value */
function userIn(secretString: string | undefined): string {
  let value: unknown;
  try {
    value = JSON.parse(secretString ?? "");
  } catch {
    throw new Error("it holds no JSON");
  }
  const { username, password } = (value ?? {}) as { username?: unknown; password?: unknown };
  if (typeof username === "string" && username && typeof password === "string" && password) return username;
  throw new Error("it holds no username or no password");
}
