import { refusal } from "./errors";
import type { Mailbox } from "./mailbox";
import type { Client, Pool } from "./pools";
import type { Tokens } from "./tokens";

/** The event that Cognito sends to a function. */
export interface TriggerEvent {
  readonly version: "1";
  readonly region: string;
  readonly userPoolId: string;
  readonly userName: string;
  readonly callerContext: { readonly awsSdkVersion: string; readonly clientId: string };
  readonly triggerSource: string;
  readonly request: Readonly<Record<string, unknown>>;
  readonly response: Readonly<Record<string, unknown>>;
}

/**
 * Calls a function as Cognito does, with Cognito's number of attempts and time limit.
 * @returns the function's result.
 * @throws AwsError if Lambda itself refused or ended the call (no permission, no such function, time limit reached).
 *   Any other Error comes from the function, with its message.
 */
export type InvokeTrigger = (functionArn: string, event: TriggerEvent, userPoolArn: string) => Promise<unknown>;

/** Everything an operation may use. */
export interface CognitoState {
  readonly region: string;
  readonly pools: ReadonlyMap<string, Pool>;
  readonly clients: ReadonlyMap<string, Client>;
  readonly mailbox: Mailbox;
  readonly tokens: Tokens;
  readonly invokeTrigger: InvokeTrigger;
  /** Wrong passwords in a row, by pool and user name. */
  readonly failures: Map<string, { count: number; lockedUntil: number }>;
  /** ms since 1970. */
  now(): number;
  info(line: string): void;
}

/** @throws ResourceNotFoundException */
export function findPool(state: CognitoState, id: string): Pool {
  const pool = state.pools.get(id);
  if (!pool) throw refusal("ResourceNotFoundException", `User pool ${id} does not exist.`);
  return pool;
}

/** @throws ResourceNotFoundException */
export function findClient(state: CognitoState, id: string): Client {
  const client = state.clients.get(id);
  if (!client) throw refusal("ResourceNotFoundException", `User pool client ${id} does not exist.`);
  return client;
}
