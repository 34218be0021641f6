/** A system to reconcile: a user pool, the secret and MySQL, as `npm start` would leave them in a data folder. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Outputs, outputsName } from "../../cli/localOutputs";
import { DataFolder } from "../../local/lib/dataFolder";
import type { User as Account, UserStatus } from "../../local/services/cognito/users";
import { Iam } from "../../local/services/iam/iam";
import { SecretsManager } from "../../local/services/secretsmanager/secretsManager";
import { Database, SECRET_NAME, secretFor } from "../functions/support";
import { LocalCognito } from "../local/services/cognito/support";
import { projectRoot } from "../support/native";

export class System {
  private constructor(
    readonly database: Database,
    readonly cognito: LocalCognito,
    readonly front: Front,
    readonly folder: DataFolder,
    private readonly secrets: SecretsManager,
    readonly environment: Record<string, string>,
  ) {}

  static async start(): Promise<System> {
    const [database, cognito] = await Promise.all([Database.start(), LocalCognito.start()]);
    // As infra/schema/DatabaseSchema.ts grants it.
    await database.query(`GRANT SELECT, INSERT ON ecommerce_db.users TO '${database.user}'@'%'`);
    const iam = new Iam(cognito.context);
    const secrets = await SecretsManager.start(cognito.context, iam);
    const front = await Front.start(cognito.cognito.endpoint);
    const folder = await DataFolder.open(join(cognito.directory, "data"));
    const outputs: Partial<Outputs> = {
      region: "us-east-1",
      userPoolId: cognito.poolId,
      cognitoEndpoint: front.url,
      secretsManagerEndpoint: secrets.endpoint,
      secretName: SECRET_NAME,
      ...iam.administrator,
      authorityFile: database.server.caFile,
    };
    folder.write(outputsName, outputs);
    const environment = {
      AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER: front.url,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
      AWS_ACCESS_KEY_ID: iam.administrator.accessKeyId,
      AWS_SECRET_ACCESS_KEY: iam.administrator.secretAccessKey,
      NODE_EXTRA_CA_CERTS: database.server.caFile,
    };
    const system = new System(database, cognito, front, folder, secrets, environment);
    await system.setSecret(secretFor(database.server));
    return system;
  }

  async setSecret(text: string, name = SECRET_NAME): Promise<void> {
    const make = async (type: string, inputs: Record<string, unknown>) =>
      await this.secrets.handlers[type]!({ type, name, inputs });
    const { id } = await make("aws:secretsmanager/secret:Secret", { name });
    await make("aws:secretsmanager/secretVersion:SecretVersion", { secretId: id, secretString: text });
  }

  /** Adds an account to the user pool. @param change `status` is `CONFIRMED` by default */
  account(change: { email?: string; status?: string; enabled?: boolean; sub?: string } = {}): string {
    const { sub = randomUUID(), email = `${sub}@example.com`, status = "CONFIRMED", enabled = true } = change;
    const account: Account = {
      username: sub,
      attributes: { sub, email, email_verified: "true" },
      // The local pool never reaches the other states by itself.
      status: status as UserStatus,
      enabled,
      created: Date.now(),
      modified: Date.now(),
    };
    this.users.save(account);
    return sub;
  }

  /** Adds confirmed accounts. @param each every `each`th account gets a row */
  async accounts(count: number, each: number): Promise<{ present: string[]; missing: string[] }> {
    const subs = Array.from({ length: count }, () => this.account());
    const present = subs.filter((_, i) => i % each === 0);
    const values = present.map((sub) => [sub, `${sub}@example.com`, "2020-02-02 02:02:02"]);
    if (values.length > 0) {
      await this.database.query("INSERT INTO ecommerce_db.users (User_UUID, User_Email, User_DateAdd) VALUES ?", [
        values,
      ]);
    }
    return { present, missing: subs.filter((_, i) => i % each !== 0) };
  }

  get users() {
    return this.cognito.cognito.pool(this.cognito.poolId)!.users;
  }

  /** Every row, in order of its `sub`. */
  rows(): Promise<any[]> {
    return this.database.query("SELECT * FROM ecommerce_db.users ORDER BY User_UUID");
  }

  async empty(): Promise<void> {
    for (const [user] of [...this.users.from(0)]) this.users.delete(user);
    await this.database.query("DELETE FROM ecommerce_db.users");
    this.front.reset();
  }

  /** `npm run reconcile` on this system's folder. */
  reconcile(...args: string[]): Run {
    return new Run(["--dir", this.folder.path, ...args]);
  }

  async stop(): Promise<void> {
    await this.folder.close();
    await this.front.stop();
    await this.secrets.close();
    await this.cognito.dispose();
    await this.database.stop();
  }
}

/** A run of the command in a process of its own. */
export class Run {
  stdout = "";
  stderr = "";
  readonly process: ChildProcess;
  readonly #closed: Promise<unknown>;
  readonly #waiting: { text: string; resolve: () => void }[] = [];

  constructor(args: string[], environment: Record<string, string | undefined> = {}) {
    const env = { ...process.env, ...environment };
    this.process = spawn(process.execPath, [join(projectRoot, "operations/reconcile.cjs"), ...args], { env });
    this.#closed = once(this.process, "close");
    this.process.stderr!.on("data", (chunk) => (this.stderr += chunk));
    createInterface(this.process.stdout!).on("line", (line) => {
      this.stdout += `${line}\n`;
      for (const { text, resolve } of this.#waiting) if (line.includes(text)) resolve();
    });
  }

  /** Resolves when standard output has a line with this text, or the process has ended without one. */
  async prints(text: string): Promise<void> {
    await Promise.race([new Promise<void>((resolve) => this.#waiting.push({ text, resolve })), this.#closed]);
  }

  /** The exit code, or the signal that ended it. */
  async ended(): Promise<number | string> {
    await this.#closed;
    return this.process.exitCode ?? this.process.signalCode!;
  }

  /** The lines of `--json`. */
  get lines(): any[] {
    return this.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
  }

  get summary(): any {
    return this.lines.at(-1);
  }
}

/** A proxy in front of Cognito that can delay and refuse requests. */
export class Front {
  /** ms before each answer. */
  delay = 0;
  /** The numbers of the requests that are throttled, the first is 1. */
  throttled: readonly number[] = [];
  /** The numbers of the requests that are answered with 200 and no body. */
  emptied: readonly number[] = [];
  requests = 0;
  private constructor(private readonly server: Server) {}

  static async start(target: string): Promise<Front> {
    const server = createServer((incoming, response) => {
      const throttle = front.throttled.includes(++front.requests);
      const empty = front.emptied.includes(front.requests);
      setTimeout(() => {
        if (empty) {
          incoming.resume();
          response.writeHead(200, { "content-type": "application/x-amz-json-1.1" }).end();
          return;
        }
        if (throttle) {
          const body = { __type: "TooManyRequestsException", message: "Rate exceeded" };
          incoming.resume();
          response.writeHead(400, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(body));
          return;
        }
        const { method, headers } = incoming;
        const forwarded = request(target, { method, headers }, (original) => {
          response.writeHead(original.statusCode!, original.headers);
          original.pipe(response);
        });
        forwarded.on("error", () => response.destroy());
        incoming.pipe(forwarded);
      }, front.delay);
    });
    const front = new Front(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return front;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  reset(): void {
    this.delay = 0;
    this.throttled = [];
    this.emptied = [];
    this.requests = 0;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
