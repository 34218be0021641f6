import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { type Connection, createConnection, type RowDataPacket } from "mysql2/promise";
import { type Outputs, outputsName } from "../cli/localOutputs";
import { createDynamicResource } from "../host/dynamicResources";
import { evaluate } from "../host/program";
import type { ResourceRegistration } from "../host/resources";
import { stackConfig } from "../host/stackConfig";
import type { DataFolder } from "../local/lib/dataFolder";
import { type LocalService, mergeHandlers, type ServiceContext } from "../local/lib/service";
import { UnsimulatedResources } from "../local/lib/unsimulatedResources";
import { physicalName } from "../local/services/aws/names";
import { Cognito } from "../local/services/cognito/cognito";
import { Iam } from "../local/services/iam/iam";
import { Lambda } from "../local/services/lambda/lambda";
import { randomPasswords } from "../local/services/random/randomPasswords";
import { MySql } from "../local/services/rds/MySql";
import { SecretsManager } from "../local/services/secretsmanager/secretsManager";
import type { Counts } from "./counts";
import type { Invoke } from "./signUps";

const root = join(__dirname, "..");
const functionType = "aws:lambda/function:Function";

/**
 * The services that the function needs, without the rest of `npm start`: MySQL with TLS, the secret's endpoint, Lambda,
 * and Cognito's users for reconcile. The program is evaluated with them, so its own archive, secret, schema and grants
 * are used.
 */
export class Platform {
  readonly #started: LocalService[];
  readonly #lambda: Lambda;
  readonly #registered: ResourceRegistration;
  /** The code of the functions of `bench/functions/`, by name. */
  readonly #built = new Map<string, string>();
  readonly cognito: Cognito;
  readonly mysql: MySql;
  readonly outputs: Outputs;
  readonly administrator: Connection;

  private constructor(
    services: Pick<Platform, "cognito" | "mysql" | "outputs" | "administrator">,
    started: LocalService[],
    lambda: Lambda,
    registered: ResourceRegistration,
  ) {
    this.cognito = services.cognito;
    this.mysql = services.mysql;
    this.outputs = services.outputs;
    this.administrator = services.administrator;
    this.#started = started;
    this.#lambda = lambda;
    this.#registered = registered;
  }

  /** @throws the error of a service or of the program, after the services that had started have ended */
  static async start(folder: DataFolder, say: (line: string) => void): Promise<Platform> {
    const values = stackConfig(root, "dev");
    const region = values["aws:region"] ?? "us-east-1";
    const port = (use: string) => folder.port(use);
    const context: ServiceContext = { directory: folder.path, region, accountId: "000000000000", port, info: say };
    const started: LocalService[] = [];
    const start = async <S extends LocalService>(service: S | Promise<S>): Promise<S> => {
      started.push(await service);
      return service;
    };
    try {
      const mysql = await start(MySql.start(context));
      const iam = await start(new Iam(context));
      const secrets = await start(SecretsManager.start(context, iam));
      const platformEnvironment = () => ({
        AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
        NODE_EXTRA_CA_CERTS: mysql.caFile,
        AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
      });
      const lambda = await start(Lambda.start(context, { iam, platformEnvironment }));
      const noTrigger = () => Promise.reject(new Error("The benchmarks do not sign up through Cognito."));
      const cognito = await start(Cognito.start(context, noTrigger));
      const handlers = mergeHandlers(
        randomPasswords(folder),
        { "pulumi-nodejs:dynamic:Resource": createDynamicResource },
        ...started.map((service) => service.handlers),
      );
      const unsimulated = new UnsimulatedResources(context);
      handlers["aws:apigateway/stage:Stage"] = (resource) => {
        const { id, outputs } = unsimulated.make(resource);
        return { id, outputs: { ...outputs, invokeUrl: "http://127.0.0.1/none" } };
      };
      const functions: ResourceRegistration[] = [];
      const { outputs: deployed } = await evaluate({
        stack: "dev",
        values,
        environment: mysql.trustingEnvironment,
        make: async (resource) => {
          if (resource.type === functionType) functions.push(resource);
          return (handlers[resource.type] ?? unsimulated.make)(resource);
        },
      });
      const outputs = {
        ...(deployed as unknown as Outputs),
        cognitoEndpoint: cognito.endpoint,
        secretsManagerEndpoint: secrets.endpoint,
        ...iam.administrator,
        authorityFile: mysql.caFile,
      };
      folder.write(outputsName, outputs);
      const { host, port: mysqlPort, user, password } = mysql.administrator;
      const ssl = { ca: await readFile(mysql.caFile, "utf8"), verifyIdentity: true };
      const administrator = await createConnection({ host, port: mysqlPort, user, password, ssl });
      const registered = functions.find((resource) => physicalName(resource) === outputs.functionName);
      if (!registered) throw new Error(`The program registered no function ${outputs.functionName}.`);
      return new Platform({ cognito, mysql, outputs, administrator }, started, lambda, registered);
    } catch (error) {
      for (const service of started.reverse()) await service.close();
      throw error;
    }
  }

  /**
   * Declares the registering function under another name, with the program's settings. Ends the containers of an
   * earlier function of that name, so that the next invocation starts a new one.
   * @param change inputs that replace the program's, for example other code
   */
  async declare(name: string, change: Readonly<Record<string, unknown>> = {}): Promise<Fn> {
    const resource = { ...this.#registered, name, inputs: { ...this.#registered.inputs, name, ...change } };
    const { outputs } = await this.#lambda.handlers[functionType]!(resource);
    const runnable = this.#lambda.functionOf(name);
    return {
      invoke: (event) => runnable.invoke(event),
      zippedBytes: Number(outputs.sourceCodeSize),
      get containersStarted() {
        return runnable.containersStarted;
      },
      end: () => runnable.close(),
    };
  }

  /** Declares a function of `bench/functions/`, with all other settings of the registering one. */
  async declareSmall(name: string): Promise<Fn> {
    const text = this.#built.get(name) ?? build(name);
    // Built only once: building before each cold start could change how long the start takes.
    this.#built.set(name, text);
    return this.declare(name, { code: { assets: { "index.js": { text } } }, handler: "index.handler" });
  }

  /** The registering function without a secret's name: it loads all its code and sends no requests. */
  declareAlone(name: string): Promise<Fn> {
    return this.declare(name, { environment: { variables: {} } });
  }

  async countRows(): Promise<number> {
    const [rows] = await this.administrator.query<RowDataPacket[]>("SELECT COUNT(*) AS n FROM ecommerce_db.users");
    return Number(rows[0]!.n);
  }

  async counters(): Promise<Counts> {
    const [rows] = await this.administrator.query<RowDataPacket[]>(
      "SHOW GLOBAL STATUS WHERE Variable_name IN ('Connections', 'Questions', 'Com_stmt_prepare')",
    );
    const value = (name: string) => Number(rows.find((row) => row.Variable_name === name)!.Value);
    return { connections: value("Connections"), statements: value("Questions"), prepared: value("Com_stmt_prepare") };
  }

  async close(): Promise<void> {
    this.administrator.destroy();
    for (const service of this.#started.splice(0).reverse()) await service.close();
  }
}

function build(name: string): string {
  const options = { absWorkingDir: root, bundle: true, platform: "node", target: "node20", minify: true } as const;
  const { outputFiles } = buildSync({ ...options, entryPoints: [`bench/functions/${name}.ts`], write: false });
  return outputFiles[0]!.text;
}

/** A declared function. */
export interface Fn {
  readonly invoke: Invoke;
  /** The size of its archive. */
  readonly zippedBytes: number;
  readonly containersStarted: number;
  end(): Promise<void>;
}
