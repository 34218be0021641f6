import { type Cause, lineOf, logged } from "../shared/log";
import { type DatabaseSecret, parseSecret, SecretMalformed } from "../shared/secret";
import type { Account, LogIn } from "./account";
import { AccessDenied, RotationError, SecretEmpty, SecretInvalid, Unexpected, VersionNotPending } from "./errors";
import { type Rotation, rotationOf, type Step } from "./event";
import type { SecretVersions } from "./versions";

/**
 * Pauses (ms) between one look and the next for what Secrets Manager does not show yet, 3.1 s in all. A step begins
 * right after the one before it, whose writing takes a moment until every reader sees it.
 */
const PAUSES = [100, 200, 400, 800, 1600];

/** One line of the log. */
export interface Line {
  /** A fault's code, or what was done. */
  readonly code: string;
  readonly step?: Step;
  /** ID of the version that is rotated to. */
  readonly version?: string;
  readonly detail?: string;
  readonly causes?: readonly Cause[];
}

/** Where the secret sends whoever may read it: the database may have moved since its last version. */
export type Endpoint = Pick<DatabaseSecret, "host" | "port" | "dbClusterIdentifier">;

/** What the function needs from outside. */
export interface Dependencies {
  readonly versions: SecretVersions;
  readonly logIn: LogIn;
  /** What the next version holds, whatever the current one does. */
  readonly endpoint: Endpoint;
  readonly newPassword: () => string;
  readonly pause: (milliseconds: number) => Promise<void>;
  readonly log: (level: "info" | "error", line: Line) => void;
}

/** The function: takes the event of one step of a rotation. @throws RotationError */
export type Handler = (event: unknown) => Promise<void>;

/**
 * Rotates the password of a secret's database user in Secrets Manager's four steps. Each may be repeated, and the whole
 * may be, from its start, after any of them was cut off; the current password is good until the next one is current and
 * another rotation begins, whoever still reads it until then.
 * {@link https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html}
 */
export function handlerOf({ versions, logIn, endpoint, newPassword, pause, log }: Dependencies): Handler {
  /** Looks again for some seconds; undefined where it is still not there then. */
  const awaited = async <T>(look: () => Promise<T | undefined>): Promise<T | undefined> => {
    for (const milliseconds of PAUSES) {
      const found = await look();
      if (found !== undefined) {
        return found;
      }
      await pause(milliseconds);
    }
    return look();
  };
  /** A version that has to have a value. */
  const textOf = async (secretId: string, version: string | undefined, name: string): Promise<string> => {
    const text = version === undefined ? undefined : await awaited(() => versions.read(secretId, version));
    if (text === undefined) {
      throw new SecretEmpty(name);
    }
    return text;
  };
  const pendingOf = async ({ secretId, version }: Rotation) => secretOf(await textOf(secretId, version, "pending"));
  const currentOf = ({ secretId }: Rotation, stages: Stages) =>
    textOf(secretId, versionWith(stages, "AWSCURRENT"), "current");

  const createSecret = async (rotation: Rotation, stages: Stages): Promise<string> => {
    const { secretId, version } = rotation;
    const current = await currentOf(rotation, stages);
    secretOf(current);
    if ((await versions.read(secretId, version)) !== undefined) {
      return "PASSWORD_ALREADY_DRAWN";
    }
    const text = JSON.stringify({ ...JSON.parse(current), ...endpoint, password: newPassword() });
    await versions.putPending(secretId, version, text);
    return "PASSWORD_DRAWN";
  };

  const setSecret = async (rotation: Rotation, stages: Stages): Promise<string> => {
    const pending = await pendingOf(rotation);
    const current = secretOf(await currentOf(rotation, stages));
    if (pending.username !== current.username) {
      const todo = "take the label AWSPENDING from the pending one, and rotate again";
      throw new SecretInvalid(`The pending version names another user than the current one; ${todo}`);
    }
    const set = await logIn(pending);
    if (set) {
      set.close();
      return "PASSWORD_ALREADY_SET";
    }
    const account = (await logIn(current)) ?? (await logInAsBefore(rotation, stages, current));
    await using(account, "current and the previous password", (it) => it.addPassword(pending.password));
    return "PASSWORD_SET";
  };

  /** Somebody may have made a value current that MySQL was never told of. */
  const logInAsBefore = async ({ secretId }: Rotation, stages: Stages, current: DatabaseSecret) => {
    const version = versionWith(stages, "AWSPREVIOUS");
    const text = version === undefined ? undefined : await awaited(() => versions.read(secretId, version));
    const previous = text === undefined ? undefined : secretOf(text);
    return previous?.username === current.username ? logIn(previous) : undefined;
  };

  const testSecret = async (rotation: Rotation): Promise<string> => {
    // What the user may do has not changed with its password, so the log-in is the test.
    await using(await logIn(await pendingOf(rotation)), "new password", async () => {});
    return "PASSWORD_TESTED";
  };

  // MySQL keeps the old password good: who reads the secret a moment late, or keeps what it read, as a proxy may, still
  // gets in. The next rotation takes it away.
  const finishSecret = async ({ secretId, version }: Rotation, stages: Stages): Promise<string> => {
    if (!has(stages, version, "AWSCURRENT")) {
      await versions.makeCurrent(secretId, version, versionWith(stages, "AWSCURRENT"));
    }
    // Left there, it would make the next value that is put by other hands look like a rotation that is not finished.
    if (has(stages, version, "AWSPENDING")) {
      await versions.noLongerPending(secretId, version);
    }
    return "ROTATED";
  };

  /**
   * Once an answer shows this rotation's label, it also reflects every earlier change, such as the end of the previous
   * rotation.
   */
  const stagesOf = async ({ secretId, version }: Rotation): Promise<Stages> => {
    const stages = await awaited(async () => {
      const shown = await versions.stages(secretId);
      return has(shown, version, "AWSCURRENT") || has(shown, version, "AWSPENDING") ? shown : undefined;
    });
    if (stages === undefined) {
      throw new VersionNotPending();
    }
    return stages;
  };

  const take = async (rotation: Rotation): Promise<string> => {
    const stages = await stagesOf(rotation);
    if (rotation.step !== "finishSecret" && has(stages, rotation.version, "AWSCURRENT")) {
      return "ALREADY_CURRENT";
    }
    return { createSecret, setSecret, testSecret, finishSecret }[rotation.step](rotation, stages);
  };

  return async (event) => {
    let rotation: Rotation | undefined;
    const trace = () => (rotation ? { step: rotation.step, version: rotation.version } : {});
    try {
      rotation = rotationOf(event);
      const code = await take(rotation);
      log("info", { code, ...trace() });
    } catch (error) {
      const fault = error instanceof RotationError ? error : new Unexpected(error);
      log("error", { ...lineOf(fault), ...trace() });
      throw logged(fault);
    }
  };
}

/** Staging labels by version. */
type Stages = ReadonlyMap<string, readonly string[]>;

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
