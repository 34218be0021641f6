import { AuthoritiesUnreadable as FileUnreadable } from "../shared/caCertificates";
import type { Connect, Connection } from "../shared/connection";
import { RegistrationError } from "../shared/errors";
import type { DatabaseSecret } from "../shared/secret";
import { type RemainingTime, sleep, TimedOut, withTimeout } from "../shared/time";
import { AuthoritiesUnreadable, SecretUnavailable } from "./errors";
import { Retries } from "./retries";
import type { ReadSecret } from "./secretReader";

/** Longest time (ms) to read the secret, with the SDK's own retries. */
const SECRET_MILLISECONDS = 2500;
/** Longest time (ms) to connect: TCP, TLS and the log-in. */
const CONNECT_MILLISECONDS = 1500;
/** Longest time (ms) that an attempt waits for the secret to be read again because the server may have moved. */
const RELOCATE_MILLISECONDS = 300;
/** An attempt with less time (ms) than this is not started. */
const WORTH_TRYING_MILLISECONDS = 30;

/** What became of one attempt. */
type Outcome<T> = { readonly value: T } | { readonly error: unknown; readonly connected: boolean };

/**
 * The container's one connection to MySQL: opened when it is first needed, kept between invocations, replaced when it is
 * lost. An error of one invocation has no effect on the next.
 */
export class Database {
  readonly #readSecret: ReadSecret;
  readonly #connect: Connect;
  #secret: DatabaseSecret | undefined;
  #connection: Connection | undefined;
  #opening: Promise<Connection> | undefined;
  #readingSecret = false;
  /** When the secret was last requested or received, by `performance.now()`. */
  #secretReadAt = Number.NEGATIVE_INFINITY;

  constructor(readSecret: ReadSecret, connect: Connect) {
    this.#readSecret = readSecret;
    this.#connect = connect;
  }

  /** Starts to connect, and returns at once. If that fails, the invocation that needs the connection tries again. */
  warm(): void {
    this.#open().catch(() => {});
  }

  /** Ends the connection; the next `run` opens a new one. */
  close(): void {
    this.#connection?.destroy();
    this.#connection = undefined;
  }

  /**
   * Does the work on an open connection; after an error that may pass it does all of the work again, while there is time.
   * The work must therefore have the same effect when it is done twice.
   * @throws the work's and the secret's own RegistrationErrors as they are; AuthoritiesUnreadable; DatabaseUnavailable,
   *   DatabaseAccessDenied, DatabaseUntrusted or DatabaseRefused for an error of the driver; Unexpected for any other
   */
  async run<T>(work: (connection: Connection) => Promise<T>, left: RemainingTime): Promise<T> {
    const begun = performance.now();
    const retries = new Retries();
    for (;;) {
      const outcome = await this.#attempt(work, left);
      if ("value" in outcome) {
        return outcome.value;
      }
      const { policy, wait } = retries.decide(outcome.error, outcome.connected);
      if (policy !== "repeat") {
        this.close();
      }
      if (policy === "readSecret") {
        this.#secret = undefined;
      }
      if (wait === undefined || left() < wait + WORTH_TRYING_MILLISECONDS) {
        // The next invocation reads the secret again: a host that is no longer the database's looks like an outage.
        this.#secret = undefined;
        throw retries.error();
      }
      await sleep(wait);
      if (policy === "relocate") {
        await this.#refreshSecret(begun, left);
      }
    }
  }

  /** @throws RegistrationError as `run` does; any other error is part of the outcome */
  async #attempt<T>(work: (connection: Connection) => Promise<T>, left: RemainingTime): Promise<Outcome<T>> {
    let connected = false;
    try {
      let connection = this.#connection;
      if (!connection?.usable) {
        connection = await this.#connected(left);
        connected = true;
      }
      return { value: await work(connection) };
    } catch (error) {
      if (error instanceof RegistrationError) {
        throw error;
      }
      return { error, connected };
    }
  }

  /**
   * Reads the secret again, at most once in an invocation, however often it fails to connect: in an outage all containers
   * ask Secrets Manager. The known secret is kept if this fails or takes too long.
   */
  async #refreshSecret(begun: number, left: RemainingTime): Promise<void> {
    if (this.#secretReadAt >= begun) {
      return;
    }
    const longest = Math.min(RELOCATE_MILLISECONDS, left() - WORTH_TRYING_MILLISECONDS);
    await withTimeout(longest, this.#replaceSecret()).catch(() => {});
  }

  /**
   * A connection, opened within the time left. If another caller started to open it before this invocation, and its secret
   * could not be read, it is opened once more: the cause may have passed since.
   * @throws what `#waitFor` throws
   */
  async #connected(left: RemainingTime): Promise<Connection> {
    const isJoined = this.#opening !== undefined;
    try {
      return await this.#waitFor(this.#open(), left);
    } catch (error) {
      if (!isJoined || !(error instanceof RegistrationError) || left() < WORTH_TRYING_MILLISECONDS) {
        throw error;
      }
      return await this.#waitFor(this.#open(), left);
    }
  }

  /** @throws SecretUnavailable if the time ends while the secret is read, and what opening throws */
  async #waitFor(opening: Promise<Connection>, left: RemainingTime): Promise<Connection> {
    try {
      return await withTimeout(left(), opening);
    } catch (error) {
      throw error instanceof TimedOut && this.#readingSecret ? new SecretUnavailable(error) : error;
    }
  }

  /** The connection that is being opened; starts to open one if none is. An invocation may stop waiting for it. */
  #open(): Promise<Connection> {
    this.#opening ??= this.#openNew().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #openNew(): Promise<Connection> {
    this.#secret ??= await this.#read();
    try {
      this.#connection = await this.#connect(this.#secret, CONNECT_MILLISECONDS);
    } catch (error) {
      throw error instanceof FileUnreadable ? new AuthoritiesUnreadable(error) : error;
    }
    return this.#connection;
  }

  async #read(): Promise<DatabaseSecret> {
    this.#readingSecret = true;
    try {
      return await this.#readNow();
    } finally {
      this.#readingSecret = false;
    }
  }

  /** Replaces the known secret by the current one, unless another call has replaced it meanwhile. */
  async #replaceSecret(): Promise<void> {
    const known = this.#secret;
    const secret = await this.#readNow();
    if (this.#secret === known) {
      this.#secret = secret;
    }
  }

  async #readNow(): Promise<DatabaseSecret> {
    this.#secretReadAt = performance.now();
    const secret = await this.#readSecret(AbortSignal.timeout(SECRET_MILLISECONDS));
    this.#secretReadAt = performance.now();
    return secret;
  }
}
