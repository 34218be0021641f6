/**
 * The packaged function with MySQL and the local Secrets Manager and Lambda. Each function has its own secret and its
 * own network, so that tests whose fault does not affect the server can run concurrently.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { PutSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { expect } from "vitest";
import type { ResourceRegistration } from "../../../host/resources";
import { invokeForCognito } from "../../../local/services/lambda/cognitoTrigger";
import { SecretsManager } from "../../../local/services/secretsmanager/secretsManager";
import { Database, freshUser, PASSWORD_PART, secretFor } from "../../functions/support";
import { type LambdaService, pool, startLambda } from "../../local/services/lambda/support";
import type { TestServerOptions } from "../../support/mysql";
import { projectRoot } from "../../support/native";
import { recordProgram } from "../../support/program";
import { type FarEnd, Wire } from "./Wire";

/** How long (ms) Cognito waits for a trigger; the function's own time-out is the same. */
export const LIMIT = 5000;

export interface Options {
  /** Fields that differ in the secret, or its whole text; `missing`: there is no secret. @default the right secret */
  readonly secret?: Record<string, unknown> | string | "missing";
  /** Whether it has already served a sign-up, so that it keeps a connection. @default false */
  readonly warm?: boolean;
  /** Whether it has no container yet, so that the first invocation waits for the start. @default false */
  readonly cold?: boolean;
  /** Further environment variables. */
  readonly variables?: Record<string, string>;
  /** After how many seconds the server ends an idle connection. @default 300, which the function sets */
  readonly idleSeconds?: number;
  /** The network to MySQL from the container's start on. @default fast and working */
  readonly network?: Partial<Pick<Wire, "delay" | "bytesPerSecond">>;
  /** Limit of concurrent invocations. @default as the program declares it */
  readonly concurrency?: number;
}

/** How an invocation ended. */
export interface Served {
  readonly event: any;
  /** ms until the answer. */
  readonly took: number;
  /** The answer's `errorType`, undefined for a success. */
  readonly fault?: string;
  /** The whole answer, parsed. */
  readonly answer: any;
}

export class Deployment {
  #count = 0;

  private constructor(
    readonly database: Database,
    readonly lambdaService: LambdaService,
    private readonly secrets: SecretsManager,
    private readonly declared: ResourceRegistration,
    private readonly mysqlEnd: FarEnd | undefined,
  ) {}

  /**
   * @param server the MySQL server's options
   * @param mysqlEnd the addresses between the functions' wires and MySQL, @default both 127.0.0.1
   */
  static async start(server: TestServerOptions = {}, mysqlEnd?: FarEnd): Promise<Deployment> {
    const [database, lambdaService] = await Promise.all([Database.start(server), startLambda()]);
    const secrets = await SecretsManager.start(lambdaService.context, lambdaService.iam);
    const Statement = [{ Effect: "Allow", Action: "secretsmanager:GetSecretValue", Resource: "*" }];
    const type = "aws:iam/rolePolicy:RolePolicy";
    const inputs = { role: lambdaService.role, policy: JSON.stringify({ Version: "2012-10-17", Statement }) };
    await lambdaService.iam.handlers[type]!({ type, name: "read-secret", inputs });
    const declared = (await recordProgram()).one("aws:lambda/function:Function", "register-user");
    return new Deployment(database, lambdaService, secrets, declared, mysqlEnd);
  }

  /** Deploys the function as the program registers it, outside of the VPC, and starts its first container. */
  async deploy(options: Options = {}): Promise<Container> {
    const name = `register-user-${++this.#count}`;
    const mysql = Object.assign(await Wire.to(this.database.server.port, this.mysqlEnd), options.network);
    const endpoint = await Wire.to(Number(new URL(this.secrets.endpoint).port));
    const container = new Container(this, name, mysql, endpoint);
    const { secret = {} } = options;
    if (secret !== "missing") await container.setSecret(secret);
    const variables = {
      SecretName: container.secretName,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: `http://127.0.0.1:${endpoint.port}`,
      NODE_EXTRA_CA_CERTS: this.database.server.caFile,
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
      ...options.variables,
    };
    const { inputs } = this.declared;
    const code = options.idleSeconds ? await withWaitTimeout(inputs.code, options.idleSeconds) : inputs.code;
    const own = { name, code, role: this.lambdaService.role, environment: { variables }, vpcConfig: undefined };
    const reserved = options.concurrency && { reservedConcurrentExecutions: options.concurrency };
    await this.lambdaService.make(name, "", { ...inputs, ...own, ...reserved });
    await this.lambdaService.permit(name);
    // Starts the container now. The function refuses this event before it uses the secret or the database.
    if (!options.cold) expect((await container.invoke({})).fault).toBe("TriggerUnknown");
    if (options.warm) await container.works();
    return container;
  }

  /** Writes a version of the secret, as a person or a rotation does; makes the secret where it is missing. */
  async putSecret(name: string, value: string | Uint8Array): Promise<void> {
    const type = "aws:secretsmanager/secret:Secret";
    await this.secrets.handlers[type]!({ type, name, inputs: { name } });
    const { accessKeyId, secretAccessKey } = this.lambdaService.iam.administrator;
    const { region } = this.lambdaService.context;
    const client = new SecretsManagerClient({
      region,
      endpoint: this.secrets.endpoint,
      credentials: { accessKeyId, secretAccessKey },
    });
    const content = typeof value === "string" ? { SecretString: value } : { SecretBinary: value };
    await client.send(new PutSecretValueCommand({ SecretId: name, ...content }));
    client.destroy();
  }

  async stop(): Promise<void> {
    await this.lambdaService.end();
    await this.secrets.close();
    await this.database.stop();
  }
}

/** The archive with another `wait_timeout` in the bundle, because five minutes are too long for a test. */
async function withWaitTimeout(archive: unknown, seconds: number): Promise<object> {
  const assets = await (archive as { assets: Promise<Record<string, unknown>> }).assets;
  const bundle = Object.keys(assets).find((name) => name.endsWith("/registerUser.js"))!;
  const text = readFileSync(path.join(projectRoot, "infra", bundle), "utf8");
  const changed = text.replace("wait_timeout = 300", `wait_timeout = ${seconds}`);
  expect(changed).not.toBe(text);
  return { assets: { ...assets, [bundle]: { text: changed } } };
}

/** One deployed function. All tests but the storm call it one at a time, so it has one container. */
export class Container {
  readonly secretName: string;

  constructor(
    private readonly deployment: Deployment,
    readonly name: string,
    /** Between the function and MySQL. */
    readonly mysql: Wire,
    /** Between the function and Secrets Manager. */
    readonly endpoint: Wire,
  ) {
    this.secretName = `ecommerce_secret_${name}`;
  }

  /** Invokes it as an administrator would. */
  async invoke(event: unknown): Promise<Served> {
    const begun = performance.now();
    const { failed, answer } = await this.deployment.lambdaService.invoke(this.name, event);
    const took = performance.now() - begun;
    return { event, took, answer, ...(failed ? { fault: answer.errorType } : {}) };
  }

  /** Invokes it as Cognito does, with Cognito's time limit and its three attempts. @returns the error's text, if any */
  async confirm(event: unknown): Promise<string | undefined> {
    const { lambda } = this.deployment.lambdaService;
    try {
      await invokeForCognito(lambda, this.name, event, pool);
      return undefined;
    } catch (error) {
      return `${(error as { errorType?: string }).errorType}: ${(error as Error).message}`;
    }
  }

  signUp(): Promise<Served> {
    return this.invoke(freshUser());
  }

  /**
   * A sign-up succeeds in time, makes exactly one row, and is served by the first container. Here and below, Lambda
   * checks the time: an invocation that takes longer than the function's 5 s fails with `Sandbox.Timedout`.
   */
  async works(): Promise<Served> {
    return this.registered(await this.signUp());
  }

  /** This sign-up succeeded in time, has exactly one row, and its container lives. */
  async registered(served: Served): Promise<Served> {
    expect({ fault: served.fault, code: await this.lastCode() }).toMatchObject({ fault: undefined });
    expect(await this.deployment.database.rows(served.event)).toHaveLength(1);
    expect(this.deployment.lambdaService.lambda.containersStarted(this.name)).toBe(1);
    return served;
  }

  /** This sign-up failed in time with the error of this class, and its container lives. */
  async refused(served: Served, fault: string, code: string): Promise<Served> {
    expect(served.fault).toBe(fault);
    expect(await this.lastCode()).toBe(code);
    expect(this.deployment.lambdaService.lambda.containersStarted(this.name)).toBe(1);
    return served;
  }

  /** The same person signs in, which always succeeds, within a second plus the time of the invocation itself. */
  async signsIn(served: Served): Promise<Served> {
    const { sub, email } = served.event.request.userAttributes;
    const signIn = freshUser("postAuthentication");
    Object.assign(signIn.request.userAttributes, { sub, email });
    const answered = await this.invoke(signIn);
    expect(answered.fault).toBeUndefined();
    // A sign-in that waited as long as a sign-up would take 4.7 s.
    expect(answered.took).toBeLessThan(3500);
    return answered;
  }

  /** After a fault a sign-in makes the row, once. */
  async repairedBySignIn(served: Served): Promise<void> {
    await this.registered(await this.signsIn(served));
  }

  /** A sign-in passes although the row cannot be made. */
  async signInPasses(): Promise<void> {
    await this.signsIn({ event: freshUser(), took: 0, answer: undefined });
  }

  /** Writes the right secret with other fields, or any text or bytes. */
  async setSecret(secret: Record<string, unknown> | string | Uint8Array): Promise<void> {
    const isFields = typeof secret === "object" && !(secret instanceof Uint8Array);
    await this.deployment.putSecret(
      this.secretName,
      isFields ? secretFor({ host: "localhost", port: this.mysql.port }, secret) : secret,
    );
  }

  /** Every line of its log file. */
  async lines(): Promise<string[]> {
    const { lambda, context } = this.deployment.lambdaService;
    await lambda.recentLogs(this.name);
    const text = readFileSync(path.join(context.directory, "logs", `${this.name}.log`), "utf8");
    expect(text).not.toContain(PASSWORD_PART);
    return text.split("\n").slice(0, -1);
  }

  /** The code in the last log line of an error. */
  async lastCode(): Promise<string | undefined> {
    return (await this.#lastFault())?.code;
  }

  /** The code of that error's cause, if any. */
  async lastCause(): Promise<string | undefined> {
    return (await this.#lastFault())?.causes?.[0].code;
  }

  async #lastFault(): Promise<any> {
    const messages = (await this.lines()).map((line) => JSON.parse(line).message);
    return messages.findLast((message) => message?.detail !== undefined);
  }
}

/** The process of a container that was deployed with `NODE_OPTIONS` `--title=<title>`. */
export function processOf(title: string): number {
  const rows = execFileSync("ps", ["-A", "-o", "pid=,command="], { encoding: "utf8" }).split("\n");
  const found = rows.filter((row) => row.trim().split(/\s+/)[1] === title);
  expect(found).toHaveLength(1);
  return Number.parseInt(found[0]!, 10);
}
