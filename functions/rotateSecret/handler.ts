import { type Cause, lineOf, logged } from "../registerUser/log";
import { type DatabaseSecret, parseSecret } from "../registerUser/secret";
import type { Account, LogIn } from "./account";
import {
  AccessDenied,
  DatabaseUnavailable,
  RotationError,
  SecretEmpty,
  SecretInvalid,
  Unexpected,
  VersionNotPending,
} from "./errors";
import { type Rotation, rotationOf, type Step } from "./event";
import type { SecretVersions, Which } from "./versions";

const CURRENT: Which = { VersionStage: "AWSCURRENT" };
const PREVIOUS: Which = { VersionStage: "AWSPREVIOUS" };

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
export type Told = Pick<DatabaseSecret, "host" | "port" | "dbClusterIdentifier">;

/** What the function needs from outside. */
export interface Dependencies {
  readonly versions: SecretVersions;
  readonly logIn: LogIn;
  /** What the next version is to tell, whatever the current one tells. */
  readonly told: Told;
  readonly newPassword: () => string;
  readonly log: (level: "info" | "error", line: Line) => void;
}

/** The function: takes the event of one step of a rotation. @throws RotationError */
export type Handler = (event: unknown) => Promise<void>;

/**
 * Rotates the password of a secret's database user in Secrets Manager's four steps. Each may be repeated, and the whole
 * may be, from its start, after any of them was cut off; the current password is good until it is no longer current.
 * {@link https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html}
 */
export function handlerOf({ versions, logIn, told, newPassword, log }: Dependencies): Handler {
  /** A version that has to have a value. */
  const textOf = async (secretId: string, which: Which, name: string): Promise<string> => {
    const text = await versions.read(secretId, which);
    if (text === undefined) {
      throw new SecretEmpty(name);
    }
    return text;
  };
  const pendingOf = async ({ secretId, version }: Rotation) =>
    secretOf(await textOf(secretId, { VersionId: version }, "pending"));

  const createSecret = async ({ secretId, version }: Rotation): Promise<string> => {
    const current = await textOf(secretId, CURRENT, "current");
    secretOf(current);
    if ((await versions.read(secretId, { VersionId: version })) !== undefined) {
      return "PASSWORD_ALREADY_DRAWN";
    }
    const text = JSON.stringify({ ...JSON.parse(current), ...told, password: newPassword() });
    await versions.putPending(secretId, version, text);
    return "PASSWORD_DRAWN";
  };

  const setSecret = async (rotation: Rotation): Promise<string> => {
    const { secretId } = rotation;
    const pending = await pendingOf(rotation);
    const current = secretOf(await textOf(secretId, CURRENT, "current"));
    if (pending.username !== current.username) {
      const todo = "take the label AWSPENDING from the pending one, and rotate again";
      throw new SecretInvalid(`The pending version names another user than the current one; ${todo}`);
    }
    const set = await logIn(pending);
    if (set) {
      set.close();
      return "PASSWORD_ALREADY_SET";
    }
    const account = (await logIn(current)) ?? (await logInAsBefore(secretId, current));
    await using(account, "current and the previous password", (it) => it.addPassword(pending.password));
    return "PASSWORD_SET";
  };

  /** Somebody may have made a value current that MySQL was never told of. */
  const logInAsBefore = async (secretId: string, current: DatabaseSecret): Promise<Account | undefined> => {
    const text = await versions.read(secretId, PREVIOUS);
    const previous = text === undefined ? undefined : secretOf(text);
    return previous?.username === current.username ? logIn(previous) : undefined;
  };

  const testSecret = async (rotation: Rotation): Promise<string> => {
    // What the user may do has not changed with its password, so the log-in is the test.
    await using(await logIn(await pendingOf(rotation)), "new password", async () => {});
    return "PASSWORD_TESTED";
  };

  const finishSecret = async (rotation: Rotation, stages: Stages): Promise<string> => {
    const { secretId, version } = rotation;
    const pending = await pendingOf(rotation);
    if (!has(stages, version, "AWSCURRENT")) {
      const former = [...stages.keys()].find((other) => has(stages, other, "AWSCURRENT"));
      await versions.makeCurrent(secretId, version, former);
    }
    // Who is refused the old password from here on reads the secret again, and finds the new one.
    const discard = async () => using(await logIn(pending), "new password", (account) => account.discardOldPassword());
    // For Secrets Manager the rotation is done already: nobody else would try again before the next one.
    await discard().catch((error) => (error instanceof DatabaseUnavailable ? discard() : Promise.reject(error)));
    // Left there, it would make the next value that is put by other hands look like a rotation that is not finished.
    if (has(stages, version, "AWSPENDING")) {
      await versions.noLongerPending(secretId, version);
    }
    return "ROTATED";
  };

  const take = async (rotation: Rotation): Promise<string> => {
    const stages = await versions.stages(rotation.secretId);
    const isCurrent = has(stages, rotation.version, "AWSCURRENT");
    if (!isCurrent && !has(stages, rotation.version, "AWSPENDING")) {
      throw new VersionNotPending();
    }
    if (rotation.step === "finishSecret") {
      return finishSecret(rotation, stages);
    }
    return isCurrent ? "ALREADY_CURRENT" : { createSecret, setSecret, testSecret }[rotation.step](rotation);
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
    throw new SecretInvalid((error as { detail: string }).detail);
  }
}
