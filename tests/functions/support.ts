/** What the function's tests share: a secrets endpoint, a database with the function's user, recorded events. */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { type Connection, createConnection, type RowDataPacket } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from "vitest";
import { createHandler } from "../../functions/registerUser";
import { startTestServer, type TestMySql, type TestServer, type TestServerOptions } from "../support/mysql";
import { slowClock } from "../support/slowClock";

export const SECRET_NAME = "ecommerce_secret";
/** A part of the password that needs no escapes: a search for it finds the password in any encoding. */
export const PASSWORD_PART = randomUUID();
/** A password with characters that JSON and SQL have to escape. */
export const PASSWORD = `pässw0rd-${PASSWORD_PART}-\\-"-'`;

/** A recorded event of Cognito, with some attributes replaced. */
export function recorded(name: string, attributes: Record<string, string> = {}): any {
  const event = JSON.parse(readFileSync(path.join(__dirname, "events", `${name}.json`), "utf8"));
  Object.assign(event.request.userAttributes, attributes);
  return event;
}

/** The event with a new user. */
export function freshUser(name = "signUp"): any {
  const sub = randomUUID();
  return recorded(name, { sub, email: `${sub}@example.com` });
}

/** A context with this much time (ms) from now; Cognito waits 5 s for a trigger. */
export function invocation(milliseconds = 5000): { getRemainingTimeInMillis(): number } {
  const end = performance.now() + milliseconds;
  return { getRemainingTimeInMillis: () => end - performance.now() };
}

/**
 * The promise's value; fails if the promise does not settle within so many ms. Two timers are compared, not a clock,
 * because a busy machine delays both timers.
 */
export async function inTime<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`did not end within ${milliseconds} ms`)), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** An endpoint that supports one operation of Secrets Manager: GetSecretValue. */
export class SecretsEndpoint {
  /** Answers by secret's name: the text of the secret, another answer, or none at all. */
  readonly secrets = new Map<string, string | { status: number; body: object } | "silence">();
  reads = 0;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk) => (body += chunk));
      request.on("end", () => {
        this.reads++;
        const secret = this.secrets.get(JSON.parse(body).SecretId);
        if (secret === "silence") return;
        const missing = { __type: "ResourceNotFoundException", message: "Secrets Manager can't find the secret." };
        const [status, answer] =
          secret === undefined
            ? [400, missing]
            : typeof secret === "string"
              ? [200, { Name: SECRET_NAME, SecretString: secret }]
              : [secret.status, secret.body];
        response.writeHead(status, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(answer));
      });
    });
  }

  /** Starts, and points the AWS SDK in this process at it. */
  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const { port } = this.#server.address() as AddressInfo;
    process.env.AWS_ENDPOINT_URL_SECRETS_MANAGER = `http://127.0.0.1:${port}`;
    process.env.AWS_REGION = "us-east-1";
    process.env.AWS_ACCESS_KEY_ID = "test";
    process.env.AWS_SECRET_ACCESS_KEY = "test";
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** A MySQL server of the test file's own, with the schema and the function's user, who may do no more than is granted. */
export class Database {
  readonly user = "register_user";
  #server: TestServer | undefined;
  #administrator: Connection | undefined;

  static async start(options: TestServerOptions = {}): Promise<Database> {
    const database = new Database();
    await database.start(options);
    return database;
  }

  async start(options: TestServerOptions = {}): Promise<void> {
    this.#server = await startTestServer(options);
    await this.query(readFileSync(path.join(__dirname, "../../schema/ecommerceSchema.sql"), "utf8"));
    await this.query(`CREATE USER '${this.user}'@'%' IDENTIFIED BY ? REQUIRE SSL`, [PASSWORD]);
    await this.query(
      `GRANT SELECT (User_UUID), INSERT (User_UUID, User_Email, User_DateAdd) ON ecommerce_db.users TO '${this.user}'@'%'`,
    );
  }

  get server(): TestServer {
    if (this.#server === undefined) throw new Error("the server is started before the first test, and not there yet");
    return this.#server;
  }

  /** Runs SQL as the administrator, on a connection that is opened again when it was lost. */
  async query(sql: string, values: unknown[] = []): Promise<any> {
    this.#administrator ??= await this.connect();
    const [rows] = await this.#administrator.query(sql, values);
    return rows;
  }

  /** A further connection of the administrator's. */
  async connect(): Promise<Connection> {
    const { host, port, user, password, caFile } = this.server;
    const ssl = { ca: readFileSync(caFile, "utf8"), verifyIdentity: true };
    const connection = await createConnection({ host, port, user, password, ssl, multipleStatements: true });
    connection.on("error", () => {});
    return connection;
  }

  /** Forgets the administrator's connection, which a restart has cut. */
  disconnect(): void {
    this.#administrator?.destroy();
    this.#administrator = undefined;
  }

  /** The rows of this user, by `sub` or address. */
  async rows(event: any): Promise<RowDataPacket[]> {
    const { sub = "", email = "" } = event.request.userAttributes;
    return this.query("SELECT * FROM ecommerce_db.users WHERE User_UUID = ? OR User_Email = ?", [sub, email]);
  }

  /** The connections that the function's user has, oldest first. */
  async connections(): Promise<number[]> {
    const rows = await this.query("SELECT id FROM information_schema.processlist WHERE user = ? ORDER BY id", [
      this.user,
    ]);
    return rows.map((row: any) => row.id ?? row.ID);
  }

  /** How many statements of a kind the server has run, by its own counters. */
  async count(counter: string): Promise<number> {
    const [row] = await this.query("SHOW GLOBAL STATUS WHERE Variable_name = ?", [counter]);
    return Number(row.Value);
  }

  async stop(): Promise<void> {
    this.disconnect();
    await this.#server?.dispose();
  }
}

/** Texts that no log may contain: the password, and data of a person. */
const confidential = [PASSWORD_PART, "cognito:user_status", "@example"];

/**
 * Gives a test file its own database, the right secret at the start of each test, and the log of each test. After each
 * test the log is searched for confidential texts.
 */
export function useDatabase({ clock }: { clock: "real" | "slow" }): {
  database: Database;
  secrets: SecretsEndpoint;
  log: any[];
} {
  const [database, secrets, log] = [new Database(), new SecretsEndpoint(), [] as any[]];
  beforeAll(async () => {
    await database.start();
    await secrets.start();
  });
  afterAll(async () => {
    await secrets.stop();
    await database.stop();
  });
  beforeEach(() => {
    secrets.secrets.set(SECRET_NAME, secretFor(database.server));
    secrets.reads = 0;
    log.length = 0;
    captureLog(log);
    if (clock === "slow") slowClock();
  });
  afterEach(() => {
    const written = JSON.stringify(log);
    vi.restoreAllMocks();
    for (const secret of confidential) expect(written).not.toContain(secret);
  });
  return { database, secrets, log };
}

/** The secret's text for this server; each field may be replaced, or left out with `undefined`. */
export function secretFor(server: { host: string; port: number }, fields: Record<string, unknown> = {}): string {
  return JSON.stringify({
    username: "register_user",
    password: PASSWORD,
    engine: "mysql",
    host: server.host,
    port: server.port,
    dbClusterIdentifier: "ecommerce",
    ...fields,
  });
}

/** A container: the function as Lambda would load it. */
export function container(server: Pick<TestMySql, "caFile">, environment: Record<string, string | undefined> = {}) {
  const variables = { SecretName: SECRET_NAME, AWS_REGION: "us-east-1", NODE_EXTRA_CA_CERTS: server.caFile };
  // A container that was not just started, although this process may have been.
  return createHandler({ ...variables, ...environment }, () => 60_000);
}

/** Adds all further output of the console to the lines, as objects. */
export function captureLog(lines: any[] = []): any[] {
  for (const level of ["debug", "log", "info", "warn", "error"] as const) {
    vi.spyOn(console, level).mockImplementation((...values: unknown[]) => {
      lines.push(...values.map((value) => (typeof value === "object" ? { level, ...value } : { level, text: value })));
    });
  }
  return lines;
}
