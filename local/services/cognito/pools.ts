import type { Journal } from "../../lib/journal";
import type { ClientSettings } from "./clientSettings";
import type { Session } from "./sessions";
import type { PoolSettings } from "./settings";
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
  /** The managed login domain, if there is one. */
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
  /** Whether managed login has a branding for it; without one its pages are unavailable. */
  branded: boolean;
}
