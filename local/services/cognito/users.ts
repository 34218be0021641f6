import { Journal } from "../../lib/journal";

export type CodePurpose = "signUp" | "passwordReset";

/** A code that was mailed. */
export interface Code {
  readonly purpose: CodePurpose;
  readonly value: string;
  /** ms since 1970. */
  readonly expires: number;
  /** Wrong answers so far. */
  readonly wrong: number;
}

/** A user's status; FORCE_CHANGE_PASSWORD means that the password is temporary. */
export type UserStatus = "UNCONFIRMED" | "CONFIRMED" | "FORCE_CHANGE_PASSWORD";

/** One user of a pool. */
export interface User {
  /** A UUID, the same as `sub`, if people sign in with their e-mail address. */
  readonly username: string;
  /** `sub`, `email`, `email_verified` ("true" or "false") and further attributes of the person. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly status: UserStatus;
  readonly enabled: boolean;
  readonly passwordHash?: string;
  /** When a temporary password expires, in ms since 1970. */
  readonly passwordGoodUntil?: number;
  /** ms since 1970. */
  readonly created: number;
  readonly modified: number;
  readonly code?: Code;
  /** When codes were sent in the last hour, ms since 1970. */
  readonly codesSent?: readonly number[];
}

export interface UserStoreOptions {
  /** Whether people sign in with an e-mail address, which then belongs to one user only. */
  readonly emailIsUsername: boolean;
  readonly caseSensitive: boolean;
}

/** The users of one pool, indexed by user name, `sub` and e-mail address, and paged in order of creation. */
export class UserStore {
  readonly #journal: Journal<User>;
  readonly #options: UserStoreOptions;
  /** Other names of a user → its key. */
  readonly #aliases = new Map<string, string>();
  /** Keys in order of creation, with gaps of deleted users, so that a page can begin anywhere. */
  readonly #order: (string | undefined)[] = [];
  readonly #positions = new Map<string, number>();

  constructor(file: string, options: UserStoreOptions) {
    this.#journal = new Journal(file);
    this.#options = options;
    for (const user of this.#journal.values()) this.#index(user);
  }

  get size(): number {
    return this.#journal.size;
  }

  /** @param name user name, `sub`, or e-mail address if people sign in with it. */
  find(name: string): User | undefined {
    const key = this.#key(name);
    return this.#journal.get(key) ?? this.#journal.get(this.#aliases.get(key) ?? "");
  }

  save(user: User): void {
    const before = this.#journal.get(this.#key(user.username));
    this.#journal.set(this.#key(user.username), user);
    if (before) this.#forgetAliases(before);
    this.#index(user);
  }

  delete(user: User): void {
    const key = this.#key(user.username);
    this.#journal.delete(key);
    this.#forgetAliases(user);
    this.#order[this.#positions.get(key)!] = undefined;
    this.#positions.delete(key);
  }

  /**
   * Users from a position on, in order of creation.
   * @yields each user with the position after it
   */
  *from(position: number): Generator<readonly [User, number]> {
    for (let i = position; i < this.#order.length; i++) {
      const key = this.#order[i];
      if (key !== undefined) yield [this.#journal.get(key)!, i + 1];
    }
  }

  #index(user: User): void {
    const key = this.#key(user.username);
    for (const alias of this.#aliasesOf(user)) this.#aliases.set(alias, key);
    if (!this.#positions.has(key)) this.#positions.set(key, this.#order.push(key) - 1);
  }

  #forgetAliases(user: User): void {
    for (const alias of this.#aliasesOf(user)) this.#aliases.delete(alias);
  }

  #aliasesOf(user: User): string[] {
    const { sub, email } = user.attributes;
    const names = [sub === user.username ? undefined : sub, this.#options.emailIsUsername ? email : undefined];
    return names.filter((name) => name !== undefined).map((name) => this.#key(name));
  }

  #key(name: string): string {
    return this.#options.caseSensitive ? name : name.toLowerCase();
  }
}
