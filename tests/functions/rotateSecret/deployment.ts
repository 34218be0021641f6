/**
 * The whole program with rotation on: its packaged functions, roles and permissions on the local services, with a MySQL
 * server that tests may stop. Tests can intercept the calls from Secrets Manager to the rotation function.
 */
import { randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  RotateSecretCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { type AuthPlugin, authPlugins } from "mysql2";
import { type Connection, type ConnectionOptions, createConnection } from "mysql2/promise";
import type * as host from "../../../host/program";
import type { CreateHandler, CreateResult, ResourceRegistration } from "../../../host/resources";
import type * as config from "../../../host/stackConfig";
import type * as folders from "../../../local/lib/dataFolder";
import type { ServiceContext } from "../../../local/lib/service";
import type * as recording from "../../../local/lib/unsimulatedResources";
import type * as existing from "../../../local/mysql/existingServer";
import type * as iams from "../../../local/services/iam/iam";
import type { Outcome } from "../../../local/services/lambda/container";
import type * as lambdas from "../../../local/services/lambda/lambda";
import type * as passwords from "../../../local/services/random/randomPasswords";
import type * as mysqls from "../../../local/services/rds/MySql";
import type { Lag } from "../../../local/services/secretsmanager/laggingReads";
import type * as secretsManagers from "../../../local/services/secretsmanager/secretsManager";
import { startTestServer, type TestServer } from "../../support/mysql";
import { loadNatively, projectRoot } from "../../support/native";
import { withoutStackTraces } from "../../support/stackTraces";

const functionType = "aws:lambda/function:Function";
const rotator = "rotate-secret";

export type Step = "createSecret" | "setSecret" | "testSecret" | "finishSecret";

/** Intercepts a call from Secrets Manager to the function: may invoke the function, and returns any outcome. */
export type Interceptor = (step: Step, invoke: () => Promise<Outcome>) => Promise<Outcome>;

export class Deployment {
  /** Lines that the services reported. */
  readonly reported: string[] = [];
  intercept: Interceptor = (_step, invoke) => invoke();
  /** How late Secrets Manager's answers are (ms). */
  lag: Lag = () => 0;
  readonly server: TestServer;
  readonly directory = mkdtempSync(join(tmpdir(), "ecommerce-rotation-"));
  #folder: folders.DataFolder | undefined;
  #parts: { close(): Promise<void> }[] = [];
  #registered: ResourceRegistration[] = [];
  #iam!: iams.Iam;
  #lambda!: lambdas.Lambda;
  #environment: NodeJS.ProcessEnv | undefined;
  #client!: SecretsManagerClient;

  private constructor(server: TestServer) {
    this.server = server;
  }

  static async start(rotationDays = 30): Promise<Deployment> {
    const deployment = new Deployment(await startTestServer());
    await deployment.up(rotationDays);
    return deployment;
  }

  /** Evaluates the program on the parts, as each `npm start` does. */
  async up(rotationDays: number): Promise<void> {
    await this.down();
    const { DataFolder } = loadNatively<typeof folders>("local/lib/dataFolder.ts");
    const { evaluate } = loadNatively<typeof host>("host/program.ts");
    const { stackConfig } = loadNatively<typeof config>("host/stackConfig.ts");
    const folder = await DataFolder.open(this.directory);
    this.#folder = folder;
    const make = await this.#startServices(folder);
    const values = stackConfig(projectRoot, "dev", [`secret.rotationDays=${rotationDays}`]);
    await withoutStackTraces(() => evaluate({ stack: "dev", values, environment: this.#environment, make }));
  }

  async down(): Promise<void> {
    this.#client?.destroy();
    for (const part of this.#parts.splice(0).reverse()) await part.close();
    await this.#folder?.close();
    this.#folder = undefined;
  }

  async end(): Promise<void> {
    await this.down();
    await this.server.dispose();
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #startServices(folder: folders.DataFolder): Promise<(resource: ResourceRegistration) => Promise<CreateResult>> {
    const { MySql } = loadNatively<typeof mysqls>("local/services/rds/MySql.ts");
    const { existingServer } = loadNatively<typeof existing>("local/mysql/existingServer.ts");
    const { Iam } = loadNatively<typeof iams>("local/services/iam/iam.ts");
    const { SecretsManager } = loadNatively<typeof secretsManagers>("local/services/secretsmanager/secretsManager.ts");
    const { Lambda } = loadNatively<typeof lambdas>("local/services/lambda/lambda.ts");
    const { UnsimulatedResources } = loadNatively<typeof recording>("local/lib/unsimulatedResources.ts");
    const { randomPasswords } = loadNatively<typeof passwords>("local/services/random/randomPasswords.ts");
    const { createDynamicResource } =
      loadNatively<typeof import("../../../host/dynamicResources")>("host/dynamicResources.ts");
    const context: ServiceContext = {
      directory: folder.path,
      region: "us-east-1",
      accountId: "000000000000",
      port: (use) => folder.port(use),
      info: (line) => this.reported.push(line),
    };
    const { user, password, port } = this.server;
    const server = await existingServer(`mysql://${user}:${password}@localhost:${port}`);
    const mysql = await MySql.start(context, async () => ({ kind: "server", server, description: server.origin }));
    this.#parts.push(mysql);
    const iam = new Iam(context);
    const secrets = await SecretsManager.start(context, iam, (...read) => this.lag(...read));
    this.#parts.push(secrets);
    const platform = {
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
      NODE_EXTRA_CA_CERTS: mysql.caFile,
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
    };
    const lambda = await Lambda.start(context, { iam, platformEnvironment: () => platform });
    this.#parts.push(lambda);
    secrets.rotationFunctions = (functionArn, sourceArn) => {
      const rotate = lambda.authorized(functionArn, { service: "secretsmanager.amazonaws.com", sourceArn });
      return { invoke: (event) => this.intercept(JSON.parse(event).Step, () => rotate.invoke(event)) };
    };
    [this.#iam, this.#lambda] = [iam, lambda];
    this.#client = new SecretsManagerClient({
      region: context.region,
      endpoint: secrets.endpoint,
      credentials: iam.administrator,
    });
    this.#environment = mysql.trustingEnvironment;
    const handlers: Record<string, CreateHandler> = {
      ...randomPasswords(folder),
      "pulumi-nodejs:dynamic:Resource": createDynamicResource,
      ...mysql.handlers,
      ...iam.handlers,
      ...secrets.handlers,
      ...lambda.handlers,
    };
    const recorder = new UnsimulatedResources(context);
    this.#registered = [];
    return async (resource) => {
      this.#registered.push(resource);
      return (handlers[resource.type] ?? recorder.make)(resource);
    };
  }

  /** Registers a new person by the packaged function. */
  async signUp(): Promise<{ sub: string; failed: boolean; payload: string }> {
    const sub = randomUUID();
    const event = JSON.parse(readFileSync(join(projectRoot, "tests/functions/events/signUp.json"), "utf8"));
    Object.assign(event.request.userAttributes, { sub, email: `${sub}@example.com` });
    const caller = { accessKeyId: this.#iam.administrator.accessKeyId };
    const name = this.#nameOf("register-user");
    return { sub, ...(await this.#lambda.invoke({ function: name, event: JSON.stringify(event), caller })) };
  }

  /** Invokes the rotation function past Secrets Manager, as one of the callers that Lambda knows. */
  invokeRotation(event: unknown, caller: lambdas.Caller = { accessKeyId: this.#iam.administrator.accessKeyId }) {
    return this.#lambda.invoke({ function: this.#nameOf(rotator), event: JSON.stringify(event), caller });
  }

  get containers(): number {
    return this.#lambda.containersStarted(this.#nameOf("register-user"));
  }

  /** Deploys the rotation function again: its containers are killed, whatever they are doing. */
  async killRotation(): Promise<void> {
    await this.#lambda.handlers[functionType]!(this.#function(rotator));
  }

  /** The same for the registration function, whose next invocation has to log in anew. */
  async forgetConnections(): Promise<void> {
    await this.#lambda.handlers[functionType]!(this.#function("register-user"));
  }

  /** Rotates by the AWS SDK, and waits for the end; repeats an unfinished rotation. @returns whether it succeeded */
  async rotate(): Promise<boolean> {
    const failures = this.reported.length;
    const before = (await this.describe()).LastRotatedDate?.getTime();
    const reattempt = "A previous rotation isn't complete. That rotation will be reattempted.";
    const pending = await this.client.send(new RotateSecretCommand({ SecretId })).then(
      ({ VersionId }) => VersionId!,
      async (error: Error) => {
        if (error.message !== reattempt) throw error;
        return this.versionWith("AWSPENDING");
      },
    );
    // The rotation is finished when the endpoint has recorded it, which is after the function's last step.
    for (;;) {
      const { LastRotatedDate, VersionIdsToStages } = await this.describe();
      if (LastRotatedDate?.getTime() !== before) return VersionIdsToStages?.[pending!]?.includes("AWSCURRENT") === true;
      if (this.reported.length > failures) return false;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  get client(): SecretsManagerClient {
    return this.#client;
  }

  describe() {
    return this.#client.send(new DescribeSecretCommand({ SecretId }));
  }

  async versionWith(label: string): Promise<string | undefined> {
    const stages = (await this.describe()).VersionIdsToStages ?? {};
    return Object.keys(stages).find((id) => stages[id]!.includes(label));
  }

  /** The secret's JSON. */
  async secret(which: { VersionId?: string; VersionStage?: string } = {}): Promise<Record<string, any>> {
    const { SecretString } = await this.#client.send(new GetSecretValueCommand({ SecretId, ...which }));
    return JSON.parse(SecretString!);
  }

  /** Every password that the secret ever held. */
  async passwords(): Promise<string[]> {
    const command = new ListSecretVersionIdsCommand({ SecretId, IncludeDeprecated: true });
    const { Versions = [] } = await this.#client.send(command);
    const reading = Versions.map(({ VersionId }) => this.secret({ VersionId }));
    // A rotation that was given up at its first step leaves an empty version.
    const read = await Promise.allSettled(reading);
    return read.flatMap((result) => (result.status === "fulfilled" ? [result.value.password] : []));
  }

  /** Those of all passwords that the secret ever held that MySQL accepts. */
  async acceptedPasswords(): Promise<string[]> {
    const accepted: string[] = [];
    for (const password of new Set(await this.passwords())) {
      if (await this.accepts(password)) accepted.push(password);
    }
    return accepted;
  }

  /** Whether MySQL accepts this password of the function's user. */
  async accepts(password: string): Promise<boolean> {
    const { username } = await this.secret();
    try {
      const connection = await this.#connect(username, password);
      await connection.end();
      return true;
    } catch (error) {
      if ((error as { code?: string }).code === "ER_ACCESS_DENIED_ERROR") return false;
      throw error;
    }
  }

  /**
   * Begins to log the function's user in: the server has looked the user up, and waits for the password.
   * @returns a function that sends the password
   */
  async logInSlowly(password: string): Promise<() => Promise<void>> {
    await this.query("FLUSH PRIVILEGES"); // A password that the server remembers is never sent.
    const { username } = await this.secret();
    const plugin = "caching_sha2_password";
    let send = () => {};
    const sending = new Promise<void>((resolve) => {
      send = resolve;
    });
    let connecting: Promise<Connection> | undefined;
    await new Promise<void>((asked, failed) => {
      const slowly: AuthPlugin = (metadata) => {
        const answer = authPlugins[plugin]({})(metadata);
        return (data) => {
          const answered = answer(data) as Buffer;
          if (answered.toString() !== `${password}\0`) return answered;
          asked();
          return sending.then<Buffer>(() => answered);
        };
      };
      connecting = this.#connect(username, password, { authPlugins: { [plugin]: slowly } });
      connecting.catch(failed);
    });
    return async () => {
      send();
      await (await connecting!).end();
    };
  }

  /** A connection of the server's administrator. */
  administrator(): Promise<Connection> {
    return this.#connect(this.server.user, this.server.password);
  }

  /** Runs SQL as the server's administrator. */
  async query(sql: string, values: unknown[] = []): Promise<any> {
    const connection = await this.administrator();
    try {
      return (await connection.query(sql, values))[0];
    } finally {
      await connection.end();
    }
  }

  /** The functions' logs, and the lines that the services reported. */
  logs(): string {
    const folder = join(this.directory, "logs");
    return [...readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8")), ...this.reported].join(
      "\n",
    );
  }

  /** @param options the driver's own */
  #connect(user: string, password: string, options: ConnectionOptions = {}): Promise<Connection> {
    const ssl = { ca: readFileSync(this.server.caFile, "utf8"), verifyIdentity: true };
    return createConnection({ host: "localhost", port: this.server.port, user, password, ssl, ...options });
  }

  #function(name: string): ResourceRegistration {
    return this.#registered.find((resource) => resource.type === functionType && resource.name === name)!;
  }

  #nameOf(name: string): string {
    const { physicalName } =
      loadNatively<typeof import("../../../local/services/aws/names")>("local/services/aws/names.ts");
    return physicalName(this.#function(name));
  }

  /** The resource as the program registered it last. */
  registered(type: string): ResourceRegistration[] {
    return this.#registered.filter((resource) => resource.type === type);
  }
}

export const SecretId = "ecommerce_secret";
