import { randomBytes, randomUUID } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import type { Credentials } from "../iam/iam";
import { Container, type Outcome } from "./container";
import type { FunctionLog } from "./log";
import { Pool } from "./pool";
import type { Reaper } from "./reaper";
import type { Settings } from "./settings";

/** Maximum of containers of a function without a reservation; an AWS account has 1,000 for all, a laptop fewer. */
const unreservedConcurrency = 50;
const idleMilliseconds = 5 * 60 * 1000;

export interface RunnableOptions {
  readonly settings: Settings;
  readonly folder: string;
  readonly log: FunctionLog;
  readonly reaper: Reaper;
  readonly region: string;
  /** Called at each start of a container, because endpoints may start after the function was registered. */
  platformEnvironment(): Readonly<Record<string, string>>;
  credentials(): Credentials;
}

/** One deployed function: its containers, its environment and the entries that Lambda itself writes into its log. */
export class RunnableFunction {
  readonly settings: Settings;
  readonly log: FunctionLog;
  readonly #options: RunnableOptions;
  readonly #pool: Pool;

  constructor(options: RunnableOptions) {
    this.#options = options;
    this.settings = options.settings;
    this.log = options.log;
    this.#pool = new Pool({
      concurrency: options.settings.reservedConcurrency ?? unreservedConcurrency,
      reserved: options.settings.reservedConcurrency !== undefined,
      idle: idleMilliseconds,
      start: () => this.#startContainer(),
    });
  }

  /** Containers started so far. */
  get containersStarted(): number {
    return this.#pool.started;
  }

  /**
   * Runs the function once.
   * @param event JSON text.
   * @throws AwsError TooManyRequestsException if all its concurrency is in use.
   */
  async invoke(event: string): Promise<Outcome> {
    const id = randomUUID();
    const requestedAt = performance.now();
    let startedAt = requestedAt;
    let initDurationMs: number | undefined;
    const outcome = await this.#pool.invoke({ id, event, invokedArn: this.settings.arn }, (cold) => {
      startedAt = performance.now();
      if (cold) initDurationMs = Math.round(startedAt - requestedAt);
      this.#note("platform.start", { requestId: id, version: "$LATEST" });
    });
    const durationMs = Number((performance.now() - startedAt).toFixed(3));
    // The function has written its log already, but the answer may be read before that pipe. The log must come first.
    await setImmediate();
    const { memorySize: memorySizeMB } = this.settings;
    this.#note("platform.report", {
      requestId: id,
      metrics: { durationMs, billedDurationMs: Math.ceil(durationMs), memorySizeMB, initDurationMs },
      status: outcome.failed ? "error" : "success",
    });
    return outcome;
  }

  async close(): Promise<void> {
    await this.#pool.close();
    this.log.close();
  }

  #note(type: string, record: Readonly<Record<string, unknown>>): void {
    const { logFormat, systemLogLevel } = this.settings;
    if (logFormat === "JSON" && systemLogLevel !== "WARN") {
      this.log.add(JSON.stringify({ time: new Date().toISOString(), type, record }));
    } else if (logFormat === "Text") {
      const word = type === "platform.start" ? "START" : "END";
      this.log.add(`${word} RequestId: ${String(record.requestId)}${word === "START" ? " Version: $LATEST" : ""}`);
    }
  }

  #startContainer(): Container {
    const { settings, folder, log, reaper } = this.#options;
    const { memorySize, timeout } = settings;
    return new Container({ folder, memorySize, timeout, log, reaper, environment: this.#environment() });
  }

  /** The function's variables, this machine's endpoints and Lambda's own variables, but none of this process's. */
  #environment(): Record<string, string> {
    const { settings, folder, region } = this.#options;
    const { accessKeyId, secretAccessKey } = this.#options.credentials();
    const day = new Date().toISOString().slice(0, 10).replaceAll("-", "/");
    return {
      ...settings.variables,
      ...this.#options.platformEnvironment(),
      ...(settings.logFormat === "JSON" ? { AWS_LAMBDA_LOG_LEVEL: settings.applicationLogLevel } : {}),
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_EXECUTION_ENV: `AWS_Lambda_${settings.runtime}`,
      AWS_LAMBDA_FUNCTION_NAME: settings.name,
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(settings.memorySize),
      AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
      AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
      AWS_LAMBDA_LOG_FORMAT: settings.logFormat,
      AWS_LAMBDA_LOG_GROUP_NAME: settings.logGroup,
      AWS_LAMBDA_LOG_STREAM_NAME: `${day}/[$LATEST]${randomBytes(16).toString("hex")}`,
      LAMBDA_TASK_ROOT: folder,
      LANG: "en_US.UTF-8",
      PATH: "/usr/local/bin:/usr/bin:/bin",
      TZ: "UTC",
      _HANDLER: settings.handler,
    };
  }
}
