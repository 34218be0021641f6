import { AuthoritiesUnreadable as FileUnreadable } from "../shared/authorities";
import type { Connect, Connection } from "../shared/connection";
import { RegistrationError, Unexpected } from "../shared/errors";
import { codeOf } from "../shared/loggedError";
import type { DatabaseSecret } from "../shared/secret";
import { type RemainingTime, sleep, TimedOut, withTimeout } from "../shared/time";
import {
  AuthoritiesUnreadable,
  DatabaseAccessDenied,
  DatabaseRefused,
  DatabaseUnavailable,
  DatabaseUntrusted,
  SecretUnavailable,
} from "./errors";
import { retryPolicyOf } from "./retryPolicy";
import type { ReadSecret } from "./secretReader";

/** The secret may take so long (ms), with the SDK's own repetitions. */
const SECRET_MILLISECONDS = 2500;
/** Connecting may take so long (ms): TCP, TLS and the log-in. */
const CONNECT_MILLISECONDS = 1500;
/** The first pause before another attempt (ms); each one is twice as long, up to the second figure. */
const PAUSE_MILLISECONDS = { first: 20, longest: 400 };
/**
 * Pauses (ms) before the secret is read again because MySQL refuses what is in it. Just after a rotation Secrets Manager,
 * which is not consistent at once, may still give the old one.
 */
const SECRET_PAUSES = [0, 250, 500];
/** The next attempt waits so long (ms) for a secret that is read again because the server may have moved. */
const RELOCATE_MILLISECONDS = 300;
/** An attempt that has less time (ms) than this is not begun. */
const WORTH_TRYING_MILLISECONDS = 30;

/**
 * The container's one connection to MySQL: opened when first needed, kept between invocations, replaced when it is
 * lost. What failed in one invocation is not kept for the next.
 */
export class Database {
  readonly #readSecret: ReadSecret;
  readonly #connect: Connect;
  #secret: DatabaseSecret | undefined;
  #connection: Connection | undefined;
  #opening: Promise<Connection> | undefined;
  #readingSecret = false;
  /** When the secret was last read, by `performance.now()`. */
  #secretReadAt = Number.NEGATIVE_INFINITY;

  constructor(readSecret: ReadSecret, connect: Connect) {
    this.#readSecret = readSecret;
    this.#connect = connect;
  }

  /** Begins to connect, and returns at once. A failure is met again, or not, by the invocation that needs it. */
  warm(): void {
    this.#open().catch(() => {});
  }

  /** Ends the connection; the next `run` opens a new one. */
  close(): void {
    this.#connection?.destroy();
    this.#connection = undefined;
  }

  /**
   * Does the work on an open connection, again from its start after a fault that may pass, while there is time. So
   * the work must be such that doing it twice is the same as doing it once.
   * @throws the work's and the secret's own RegistrationErrors as they are; AuthoritiesUnreadable; DatabaseUnavailable,
   *   DatabaseAccessDenied, DatabaseUntrusted or DatabaseRefused for a fault of the driver; Unexpected for any other
   */
  async run<T>(work: (connection: Connection) => Promise<T>, left: RemainingTime): Promise<T> {
    let delay = PAUSE_MILLISECONDS.first;
    let read = 0;
    let met: unknown;
    const begun = performance.now();
    let mayHaveMoved = true;
    for (;;) {
      try {
        let connection = this.#connection;
        if (!connection?.usable) {
          connection = await this.#connected(left);
          met = undefined;
        }
        return await work(connection);
      } catch (error) {
        if (error instanceof RegistrationError) {
          throw error;
        }
        const policy = retryPolicyOf(error);
        // That time is up says little: the fault that was met before, if it was not mended, is what an operator looks up.
        met = error instanceof TimedOut ? (met ?? error) : error;
        if (policy !== "repeat") {
          this.close();
        }
        let wait: number | undefined;
        if (policy === "readSecret") {
          this.#secret = undefined;
          wait = SECRET_PAUSES[read++];
        } else if (policy === "repeat" || policy === "reconnect" || policy === "relocate") {
          wait = delay * (0.5 + Math.random() / 2);
          delay = Math.min(2 * delay, PAUSE_MILLISECONDS.longest);
        }
        if (wait === undefined || left() < wait + WORTH_TRYING_MILLISECONDS) {
          // The secret may have been the reason: an address that is no longer the database's looks like an outage.
          this.#secret = undefined;
          throw faultOf(policy, met);
        }
        await sleep(wait);
        // Once an invocation, however often it connects in vain: Secrets Manager serves all containers of an outage.
        if (policy === "relocate" && mayHaveMoved && this.#secretReadAt < begun) {
          mayHaveMoved = false;
          await withTimeout(Math.min(RELOCATE_MILLISECONDS, left() - WORTH_TRYING_MILLISECONDS), this.#refresh()).catch(
            () => {},
          );
        }
      }
    }
  }

  /**
   * A connection, opened within the time left. One that is being opened already may meet what was broken before this
   * invocation began, and is whole by now; so when the secret fails it, it is opened anew.
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

  /** @throws SecretUnavailable where the time is up while the secret is read, and what opening throws */
  async #waitFor(opening: Promise<Connection>, left: RemainingTime): Promise<Connection> {
    try {
      return await withTimeout(left(), opening);
    } catch (error) {
      throw error instanceof TimedOut && this.#readingSecret ? new SecretUnavailable(error) : error;
    }
  }

  /** The connection that is being opened, by whomever. It is bounded by itself: an invocation may stop waiting for it. */
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

  /** Reads the secret beside the one that is known, which is kept where this fails or another one was read meanwhile. */
  async #refresh(): Promise<void> {
    const known = this.#secret;
    const secret = await this.#readNow();
    if (this.#secret === known) {
      this.#secret = secret;
    }
  }

  async #readNow(): Promise<DatabaseSecret> {
    const secret = await this.#readSecret(AbortSignal.timeout(SECRET_MILLISECONDS));
    this.#secretReadAt = performance.now();
    return secret;
  }
}

function faultOf(policy: ReturnType<typeof retryPolicyOf>, error: unknown): RegistrationError {
  switch (policy) {
    case "repeat":
    case "reconnect":
    case "relocate":
      return new DatabaseUnavailable(error);
    case "readSecret":
      return new DatabaseAccessDenied(error);
    case "distrust":
      return new DatabaseUntrusted(error);
    case "none":
      // The driver's errors have a code; one without is a fault of this program.
      return codeOf(error) ? new DatabaseRefused(error) : new Unexpected(error);
  }
}
