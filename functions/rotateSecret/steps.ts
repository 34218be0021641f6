import { type DatabaseSecret, parseSecret, SecretMalformed } from "../shared/secret";
import type { Account, LogIn } from "./account";
import { AccessDenied, SecretEmpty, SecretInvalid, VersionNotPending } from "./errors";
import type { Rotation } from "./event";
import type { SecretVersions, Stages } from "./versions";

/**
 * Pauses (ms) between attempts to read a value that Secrets Manager does not return yet, 3.1 s in all. A step begins
 * right after the previous one, whose changes may take a moment until every reader gets them.
 */
const PAUSES = [100, 200, 400, 800, 1600];

/** The address in the secret; the database may have moved since the secret's last version. */
export type Endpoint = Pick<DatabaseSecret, "host" | "port" | "dbClusterIdentifier">;

/** What the steps need from outside. */
export interface RotationDependencies {
  readonly versions: SecretVersions;
  readonly logIn: LogIn;
  /** The address for the next version of the secret, which may differ from that of the current version. */
  readonly endpoint: Endpoint;
  readonly newPassword: () => string;
  readonly pause: (milliseconds: number) => Promise<void>;
}

/**
 * Secrets Manager's four steps. Each step may be repeated. After an interrupted step, the rotation may be repeated from
 * its start. The current password stays valid until the next one is current and a further rotation begins, so clients
 * may use it until then.
 * {@link https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html}
 */
export class Steps {
  readonly #dependencies: RotationDependencies;

  constructor(dependencies: RotationDependencies) {
    this.#dependencies = dependencies;
  }

  /** Runs the step. @returns what was done, as a code for the log @throws RotationError */
  async take(rotation: Rotation): Promise<string> {
    const stages = await this.#stagesOf(rotation);
    if (rotation.step === "finishSecret") {
      return this.#finishSecret(rotation, stages);
    }
    if (has(stages, rotation.version, "AWSCURRENT")) {
      return "ALREADY_CURRENT";
    }
    switch (rotation.step) {
      case "createSecret":
        return this.#createSecret(rotation, stages);
      case "setSecret":
        return this.#setSecret(rotation, stages);
      case "testSecret":
        return this.#testSecret(rotation);
    }
  }

  async #createSecret(rotation: Rotation, stages: Stages): Promise<string> {
    const { versions, endpoint, newPassword } = this.#dependencies;
    const { secretId, version } = rotation;
    const current = await this.#currentOf(rotation, stages);
    secretOf(current);
    if ((await versions.read(secretId, version)) !== undefined) {
      return "PASSWORD_ALREADY_DRAWN";
    }
    const text = JSON.stringify({ ...JSON.parse(current), ...endpoint, password: newPassword() });
    await versions.putPending(secretId, version, text);
    return "PASSWORD_DRAWN";
  }

  async #setSecret(rotation: Rotation, stages: Stages): Promise<string> {
    const { logIn } = this.#dependencies;
    const pending = await this.#pendingOf(rotation);
    const current = secretOf(await this.#currentOf(rotation, stages));
    if (pending.username !== current.username) {
      const todo = "take the label AWSPENDING from the pending one, and rotate again";
      throw new SecretInvalid(`The pending version names another user than the current one; ${todo}`);
    }
    const pendingAccount = await logIn(pending);
    if (pendingAccount) {
      pendingAccount.close();
      return "PASSWORD_ALREADY_SET";
    }
    const account = (await logIn(current)) ?? (await this.#logInPrevious(rotation, stages, current));
    await using(account, "current and the previous password", (it) => it.addPassword(pending.password));
    return "PASSWORD_SET";
  }

  /**
   * Logs in by the previous version: the current one may have been written by hand without setting its password in
   * MySQL.
   */
  async #logInPrevious({ secretId }: Rotation, stages: Stages, current: DatabaseSecret): Promise<Account | undefined> {
    const text = await this.#read(secretId, versionWith(stages, "AWSPREVIOUS"));
    const previous = text === undefined ? undefined : secretOf(text);
    return previous?.username === current.username ? this.#dependencies.logIn(previous) : undefined;
  }

  async #testSecret(rotation: Rotation): Promise<string> {
    // A new password does not change the user's privileges, so a successful log-in is a sufficient test.
    await this.#withNewPassword(rotation, async () => {});
    return "PASSWORD_TESTED";
  }

  /**
   * The old password stays valid in MySQL, for clients that read the secret a moment late or keep what they read, as a
   * proxy may. The next rotation removes it. This rotation removed the password before the old one. A client that was
   * logging in with that password meanwhile has finished by now, two steps later, and may have put it into MySQL's
   * cache; so the cache is cleared.
   */
  async #finishSecret(rotation: Rotation, stages: Stages): Promise<string> {
    const { versions } = this.#dependencies;
    const { secretId, version } = rotation;
    if (!has(stages, version, "AWSCURRENT")) {
      await this.#withNewPassword(rotation, (account) => account.repeatPassword());
      await versions.makeCurrent(secretId, version, versionWith(stages, "AWSCURRENT"));
    }
    // If the label stayed, the next value that is written by hand would look like an unfinished rotation.
    if (has(stages, version, "AWSPENDING")) {
      await versions.noLongerPending(secretId, version);
    }
    return "ROTATED";
  }

  async #withNewPassword(rotation: Rotation, work: (account: Account) => Promise<void>): Promise<void> {
    await using(await this.#dependencies.logIn(await this.#pendingOf(rotation)), "new password", work);
  }

  /**
   * Once an answer shows this rotation's label, it also reflects every earlier change, such as the end of the previous
   * rotation.
   */
  async #stagesOf({ secretId, version }: Rotation): Promise<Stages> {
    const stages = await this.#poll(async () => {
      const found = await this.#dependencies.versions.stages(secretId);
      return has(found, version, "AWSCURRENT") || has(found, version, "AWSPENDING") ? found : undefined;
    });
    if (stages === undefined) {
      throw new VersionNotPending();
    }
    return stages;
  }

  async #pendingOf({ secretId, version }: Rotation): Promise<DatabaseSecret> {
    return secretOf(await this.#textOf(secretId, version, "pending"));
  }

  #currentOf({ secretId }: Rotation, stages: Stages): Promise<string> {
    return this.#textOf(secretId, versionWith(stages, "AWSCURRENT"), "current");
  }

  /** The text of a version. @throws SecretEmpty if it has none */
  async #textOf(secretId: string, version: string | undefined, name: string): Promise<string> {
    const text = await this.#read(secretId, version);
    if (text === undefined) {
      throw new SecretEmpty(name);
    }
    return text;
  }

  async #read(secretId: string, version: string | undefined): Promise<string | undefined> {
    return version === undefined ? undefined : this.#poll(() => this.#dependencies.versions.read(secretId, version));
  }

  /** Repeats the read for some seconds; undefined if there is still no value. */
  async #poll<T>(read: () => Promise<T | undefined>): Promise<T | undefined> {
    for (const milliseconds of PAUSES) {
      const found = await read();
      if (found !== undefined) {
        return found;
      }
      await this.#dependencies.pause(milliseconds);
    }
    return read();
  }
}

function has(stages: Stages, version: string, label: string): boolean {
  return stages.get(version)?.includes(label) ?? false;
}

function versionWith(stages: Stages, label: string): string | undefined {
  return [...stages.keys()].find((version) => has(stages, version, label));
}

/** Runs the work, then logs out. @throws AccessDenied if the log-in was refused */
async function using(account: Account | undefined, what: string, work: (account: Account) => Promise<void>) {
  if (account === undefined) {
    throw new AccessDenied(what);
  }
  try {
    await work(account);
  } finally {
    account.close();
  }
}

/** @throws SecretInvalid */
function secretOf(text: string): DatabaseSecret {
  try {
    return parseSecret(text);
  } catch (error) {
    throw error instanceof SecretMalformed ? new SecretInvalid(error.message) : error;
  }
}
