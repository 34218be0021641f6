import { type DatabaseSecret, parseSecret, SecretMalformed } from "../shared/secret";
import type { Account, LogIn } from "./account";
import { AccessDenied, SecretEmpty, SecretInvalid, VersionNotPending } from "./errors";
import type { Rotation } from "./event";
import type { SecretVersions, Stages } from "./versions";

/**
 * Pauses (ms) between one look and the next for what Secrets Manager does not show yet, 3.1 s in all. A step begins
 * right after the one before it, whose writing takes a moment until every reader sees it.
 */
const PAUSES = [100, 200, 400, 800, 1600];

/** Where the secret sends whoever may read it: the database may have moved since its last version. */
export type Endpoint = Pick<DatabaseSecret, "host" | "port" | "dbClusterIdentifier">;

/** What the steps need from outside. */
export interface RotationDependencies {
  readonly versions: SecretVersions;
  readonly logIn: LogIn;
  /** What the next version holds, whatever the current one does. */
  readonly endpoint: Endpoint;
  readonly newPassword: () => string;
  readonly pause: (milliseconds: number) => Promise<void>;
}

/**
 * Secrets Manager's four steps. Each may be repeated, and the whole may be, from its start, after any of them was cut
 * off; the current password is good until the next one is current and another rotation begins, whoever still reads it
 * until then.
 * {@link https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html}
 */
export class Steps {
  readonly #dependencies: RotationDependencies;

  constructor(dependencies: RotationDependencies) {
    this.#dependencies = dependencies;
  }

  /** Takes the step. @returns what was done, as a code for the log @throws RotationError */
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
    const set = await logIn(pending);
    if (set) {
      set.close();
      return "PASSWORD_ALREADY_SET";
    }
    const account = (await logIn(current)) ?? (await this.#logInAsBefore(rotation, stages, current));
    await using(account, "current and the previous password", (it) => it.addPassword(pending.password));
    return "PASSWORD_SET";
  }

  /** Somebody may have made a value current without setting its password in MySQL. */
  async #logInAsBefore({ secretId }: Rotation, stages: Stages, current: DatabaseSecret): Promise<Account | undefined> {
    const text = await this.#read(secretId, versionWith(stages, "AWSPREVIOUS"));
    const previous = text === undefined ? undefined : secretOf(text);
    return previous?.username === current.username ? this.#dependencies.logIn(previous) : undefined;
  }

  async #testSecret(rotation: Rotation): Promise<string> {
    // What the user may do has not changed with its password, so the log-in is the test.
    await this.#byNewPassword(rotation, async () => {});
    return "PASSWORD_TESTED";
  }

  /**
   * MySQL keeps the old password good: who reads the secret a moment late, or keeps what it read, as a proxy may, still
   * gets in. The next rotation takes it away. Whoever was logging in with the one before it while it was taken away is
   * through by now, two steps later, and MySQL has to forget that this one was good.
   */
  async #finishSecret(rotation: Rotation, stages: Stages): Promise<string> {
    const { versions } = this.#dependencies;
    const { secretId, version } = rotation;
    if (!has(stages, version, "AWSCURRENT")) {
      await this.#byNewPassword(rotation, (account) => account.repeatPassword());
      await versions.makeCurrent(secretId, version, versionWith(stages, "AWSCURRENT"));
    }
    // Left there, it would make the next value that is put by other hands look like a rotation that is not finished.
    if (has(stages, version, "AWSPENDING")) {
      await versions.noLongerPending(secretId, version);
    }
    return "ROTATED";
  }

  async #byNewPassword(rotation: Rotation, work: (account: Account) => Promise<void>): Promise<void> {
    await using(await this.#dependencies.logIn(await this.#pendingOf(rotation)), "new password", work);
  }

  /**
   * Once an answer shows this rotation's label, it also reflects every earlier change, such as the end of the previous
   * rotation.
   */
  async #stagesOf({ secretId, version }: Rotation): Promise<Stages> {
    const stages = await this.#awaited(async () => {
      const shown = await this.#dependencies.versions.stages(secretId);
      return has(shown, version, "AWSCURRENT") || has(shown, version, "AWSPENDING") ? shown : undefined;
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

  /** The text of a version that has to have one. @throws SecretEmpty */
  async #textOf(secretId: string, version: string | undefined, name: string): Promise<string> {
    const text = await this.#read(secretId, version);
    if (text === undefined) {
      throw new SecretEmpty(name);
    }
    return text;
  }

  async #read(secretId: string, version: string | undefined): Promise<string | undefined> {
    return version === undefined ? undefined : this.#awaited(() => this.#dependencies.versions.read(secretId, version));
  }

  /** Looks again for some seconds; undefined where it is still not there then. */
  async #awaited<T>(look: () => Promise<T | undefined>): Promise<T | undefined> {
    for (const milliseconds of PAUSES) {
      const found = await look();
      if (found !== undefined) {
        return found;
      }
      await this.#dependencies.pause(milliseconds);
    }
    return look();
  }
}

function has(stages: Stages, version: string, label: string): boolean {
  return stages.get(version)?.includes(label) ?? false;
}

function versionWith(stages: Stages, label: string): string | undefined {
  return [...stages.keys()].find((version) => has(stages, version, label));
}

/** Works as a user that could log in. @throws AccessDenied where it could not */
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
