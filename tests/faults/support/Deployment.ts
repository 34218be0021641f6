/**
 * The packaged function on real parts of its own: MySQL, Secrets Manager and Lambda, each function with a secret, and
 * where wanted a network, that is broken for it alone, so that faults which do not touch the server can run side by side.
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

/** Cognito waits so long (ms) for a trigger, and the function's own limit is the same. */
export const LIMIT = 5000;

export interface Options {
  /** What the secret differs in, or its whole text; `missing`: there is none. @default the right secret */
  readonly secret?: Record<string, unknown> | string | "missing";
  /** Has served a sign-up already, so that it keeps a connection. @default false */
  readonly warm?: boolean;
  /** Has no container yet: the first invocation has to wait for its start. @default false */
  readonly cold?: boolean;
  /** Further environment variables. */
  readonly variables?: Record<string, string>;
  /** After how many seconds the server ends a connection that is not used. @default as the function asks for: 300 */
  readonly idleSeconds?: number;
  /** What the way to MySQL is like from the container's start on. @default whole */
  readonly network?: Partial<Pick<Wire, "delay" | "bytesPerSecond">>;
  /** Invocations that may run at once. @default as the program declares it */
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
    const secrets = await SecretsManager.start(lambdaService.site, lambdaService.iam);
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
    const code = options.idleSeconds ? await hurried(inputs.code, options.idleSeconds) : inputs.code;
    const own = { name, code, role: this.lambdaService.role, environment: { variables }, vpcConfig: undefined };
    const reserved = options.concurrency && { reservedConcurrentExecutions: options.concurrency };
    await this.lambdaService.make(name, "", { ...inputs, ...own, ...reserved });
    await this.lambdaService.permit(name);
    // A container's start takes a time of its own. The event is refused before anything is asked of secret or database.
    if (!options.cold) expect((await container.invoke({})).fault).toBe("TriggerUnknown");
    if (options.warm) await container.works();
    return container;
  }

  /** Writes a version of the secret, as a person or a rotation does; makes the secret where it is missing. */
  async putSecret(name: string, value: string | Uint8Array): Promise<void> {
    const type = "aws:secretsmanager/secret:Secret";
    await this.secrets.handlers[type]!({ type, name, inputs: { name } });
    const { accessKeyId, secretAccessKey } = this.lambdaService.iam.administrator;
    const { region } = this.lambdaService.site;
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

/** The archive, with one number of the bundle changed: five minutes are too long for a test. */
async function hurried(archive: unknown, seconds: number): Promise<object> {
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

  /** Invokes it as Cognito does, with its patience and its three tries. @returns the fault's text, if any */
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
   * A sign-up succeeds in time, makes exactly one row, and is served by the container that was there from the start. Time
   * is Lambda's to tell here and below: what takes longer than the function's 5 s has the fault `Sandbox.Timedout`.
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

  /** This sign-up was answered in time with the fault of this class, and its container lives. */
  async refused(served: Served, fault: string, code: string): Promise<Served> {
    expect(served.fault).toBe(fault);
    expect(await this.lastCode()).toBe(code);
    expect(this.deployment.lambdaService.lambda.containersStarted(this.name)).toBe(1);
    return served;
  }

  /** The same person signs in, which always passes: within a second, and what starting the answer takes. */
  async signsIn(served: Served): Promise<Served> {
    const { sub, email } = served.event.request.userAttributes;
    const signIn = freshUser("postAuthentication");
    Object.assign(signIn.request.userAttributes, { sub, email });
    const answered = await this.invoke(signIn);
    expect(answered.fault).toBeUndefined();
    // One that waited as long as a sign-up would have taken 4.7 s.
    expect(answered.took).toBeLessThan(3500);
    return answered;
  }

  /** After a fault a sign-in makes the row, once. */
  async repairedBySignIn(served: Served): Promise<void> {
    await this.registered(await this.signsIn(served));
  }

  /** A sign-in passes although the row cannot be made. */
  async lets(): Promise<void> {
    await this.signsIn({ event: freshUser(), took: 0, answer: undefined });
  }

  /** The right secret with other fields, or any text or bytes. */
  async setSecret(secret: Record<string, unknown> | string | Uint8Array): Promise<void> {
    const isFields = typeof secret === "object" && !(secret instanceof Uint8Array);
    await this.deployment.putSecret(
      this.secretName,
      isFields ? secretFor({ host: "localhost", port: this.mysql.port }, secret) : secret,
    );
  }

  /** Every line of its log, as it stands in the file. */
  async lines(): Promise<string[]> {
    const { lambda, site } = this.deployment.lambdaService;
    await lambda.recentLogs(this.name);
    const text = readFileSync(path.join(site.directory, "logs", `${this.name}.log`), "utf8");
    expect(text).not.toContain(PASSWORD_PART);
    return text.split("\n").slice(0, -1);
  }

  /** The code that its last line of a fault has. */
  async lastCode(): Promise<string | undefined> {
    return (await this.#lastFault())?.code;
  }

  /** The code of the error behind it, if any. */
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
