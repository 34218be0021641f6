import type { Journal } from "../../lib/journal";
import type { ClientSettings } from "./clientSettings";
import { refusal } from "./errors";
import type { Mailbox } from "./mailbox";
import type { PoolSettings } from "./settings";
import type { Session, Tokens } from "./tokens";
import type { UserStore } from "./users";

/** A deployed user pool. */
export interface Pool {
  readonly id: string;
  readonly arn: string;
  readonly settings: PoolSettings;
  readonly users: UserStore;
  readonly sessions: Journal<Session>;
  /** Scopes of its resource servers, `identifier/name`. */
  readonly customScopes: Set<string>;
  /** The managed login domain, where there is one. */
  domain?: Domain;
}

export interface Domain {
  readonly name: string;
  /** 1 is the classic hosted UI, 2 is managed login. */
  readonly managedLoginVersion: number;
}

/** A deployed app client. */
export interface Client {
  readonly id: string;
  readonly secret?: string;
  readonly pool: Pool;
  readonly settings: ClientSettings;
  /** Whether managed login has a branding for it; without, its pages are unavailable. */
  branded: boolean;
}

/** What Cognito hands to a function. */
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
 * Calls a function as Cognito does, with its tries and its patience.
 * @returns what the function answered.
 * @throws AwsError where Lambda itself refused or gave up (no permission, no such function, time over); any other Error
 *   is the function's own, with its message.
 */
export type InvokeTrigger = (functionArn: string, event: TriggerEvent, userPoolArn: string) => Promise<unknown>;

/** Everything an operation may use. */
export interface World {
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
  say(line: string): void;
}

/** @throws ResourceNotFoundException */
export function findPool(world: World, id: string): Pool {
  const pool = world.pools.get(id);
  if (!pool) throw refusal("ResourceNotFoundException", `User pool ${id} does not exist.`);
  return pool;
}

/** @throws ResourceNotFoundException */
export function findClient(world: World, id: string): Client {
  const client = world.clients.get(id);
  if (!client) throw refusal("ResourceNotFoundException", `User pool client ${id} does not exist.`);
  return client;
}
