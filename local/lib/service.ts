import type { CreateHandler } from "../../host/resources";

/** One real part of the local system, for example the MySQL server. */
export interface LocalService {
  /** Type token → handler. */
  readonly handlers: Readonly<Record<string, CreateHandler>>;
  /** Ends every server and process of the part; safe to call twice. */
  close(): Promise<void>;
}

/** What every part is told about where it runs. */
export interface ServiceContext {
  /** Absolute path of the data folder (`.local/`). */
  readonly directory: string;
  readonly region: string;
  readonly accountId: string;
  /** The remembered free port on 127.0.0.1 for this use (`cognito`, `mysql`, …); throws a CommandError where it is taken. */
  port(use: string): Promise<number>;
  /** Reports a finished step or a fact to the screen; never a secret. */
  info(line: string): void;
}
