import { randomUUID } from "node:crypto";
import { CommandError } from "../../../cli/commandError";
import { type CreateResult, provisioningError, type ResourceRegistration } from "../../../host/resources";
import { AwsError } from "../aws/awsError";
import type { Outcome } from "../lambda/container";
import { type Input, identity, requestToken, text } from "./operations";
import { moveStage, removeStage, versionWith } from "./stages";
import type { Secret } from "./store";

/**
 * Finds a function that Secrets Manager may invoke for a secret.
 * @throws AwsError if the function does not exist, or its policy does not allow that
 */
export type RotationFunctions = (functionArn: string, secretArn: string) => { invoke(event: string): Promise<Outcome> };

export interface RotationOptions {
  readonly functions: RotationFunctions;
  /** Saves the secrets after a change. */
  save(): void;
  /** Reports a failed rotation that no caller waits for. */
  info(line: string): void;
}

const steps = ["createSecret", "setSecret", "testSecret", "finishSecret"];
const secondsOfDay = 24 * 60 * 60;

/**
 * Rotates secrets as Secrets Manager does: it adds an empty pending version and invokes the rotation function once for
 * each step. A new request while a rotation is unfinished continues the unfinished one.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_how.html
 */
export class Rotations {
  readonly #options: RotationOptions;
  readonly #running = new Map<Secret, { readonly version: string; readonly done: Promise<void> }>();

  constructor(options: RotationOptions) {
    this.#options = options;
  }

  /**
   * `RotateSecret`: returns at once and rotates in the background.
   * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
   * @throws AwsError with Secrets Manager's code and text
   */
  rotateSecret(secret: Secret, input: Input): Record<string, unknown> {
    const rules = (input.RotationRules ?? {}) as { AutomaticallyAfterDays?: unknown };
    const functionArn = text(input, "RotationLambdaARN") ?? secret.rotation?.functionArn;
    if (functionArn === undefined) {
      const message = "No Lambda rotation function ARN is associated with this secret.";
      throw new AwsError("InvalidRequestException", 400, message);
    }
    const token = requestToken(input);
    this.turnOn(secret, functionArn, rules.AutomaticallyAfterDays);
    if (input.RotateImmediately === false) return identity(secret);
    const running = this.#running.get(secret);
    const unfinished = running?.version ?? pendingOf(secret);
    if (!running) this.#start(secret, unfinished ?? token).catch((error: Error) => this.#options.info(error.message));
    if (unfinished !== undefined && unfinished !== token) {
      const message = "A previous rotation isn't complete. That rotation will be reattempted.";
      throw new AwsError("InvalidRequestException", 400, message);
    }
    return { ...identity(secret), VersionId: token };
  }

  /**
   * Sets the function that rotates a secret, after a check that Secrets Manager may invoke it.
   * @param days days between two rotations, 1 to 1000; undefined keeps the present value
   * @throws AwsError
   */
  turnOn(secret: Secret, functionArn: string, days: unknown): void {
    if (days !== undefined && !(Number.isInteger(days) && Number(days) >= 1 && Number(days) <= 1000)) {
      const message = `AutomaticallyAfterDays is ${JSON.stringify(days)}; it must be a whole number from 1 to 1000.`;
      throw new AwsError("InvalidParameterException", 400, message);
    }
    try {
      this.#options.functions(functionArn, secret.arn);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      const message =
        "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access " +
        `to the principal secretsmanager.amazonaws.com. (${error.message})`;
      throw new AwsError("AccessDeniedException", 400, message);
    }
    secret.rotation = { ...secret.rotation, functionArn, ...(days === undefined ? {} : { days: Number(days) }) };
    this.#options.save();
  }

  /**
   * Rotates if a rotation is due or unfinished, and waits for its end. A failure of the first rotation of a secret is
   * thrown, because it means that the program is wrong. A later failure is only reported: the value stays valid.
   */
  async catchUp(secret: Secret, rotateImmediately: boolean): Promise<void> {
    const { lastRotatedDate, days } = secret.rotation!;
    const isFirst = lastRotatedDate === undefined;
    const isDue = isFirst ? rotateImmediately : Date.now() / 1000 > lastRotatedDate + (days ?? 0) * secondsOfDay;
    const unfinished = pendingOf(secret);
    if (!isDue && unfinished === undefined) return;
    const rotated = this.#start(secret, unfinished ?? randomUUID());
    await (isFirst ? rotated : rotated.catch((error: Error) => this.#options.info(error.message)));
  }

  /** Waits for all running rotations. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#running.values()].map(({ done }) => done));
  }

  #start(secret: Secret, version: string): Promise<void> {
    if (!Object.hasOwn(secret.versions, version)) {
      secret.versions[version] = { stages: [], createdDate: Date.now() / 1000 };
    }
    moveStage(secret, "AWSPENDING", version);
    this.#options.save();
    const done = this.#run(secret, version).finally(() => this.#running.delete(secret));
    this.#running.set(secret, { version, done });
    return done;
  }

  async #run(secret: Secret, version: string): Promise<void> {
    const { functionArn } = secret.rotation!;
    for (const Step of steps) {
      const event = { Step, SecretId: secret.arn, ClientRequestToken: version };
      const outcome = await this.#options.functions(functionArn, secret.arn).invoke(JSON.stringify(event));
      if (outcome.failed)
        throw new CommandError(`The rotation of ${secret.name} failed at ${Step}: ${errorOf(outcome)}`);
    }
    if (versionWith(secret, "AWSCURRENT") !== version) {
      throw new CommandError(
        `The rotation of ${secret.name} failed: its function did not make the new version the current one`,
      );
    }
    secret.rotation = { ...secret.rotation!, lastRotatedDate: Date.now() / 1000 };
    this.#options.save();
  }
}

/**
 * Reads an `aws.secretsmanager.SecretRotation`.
 * @throws CommandError for inputs that are missing or not simulated
 */
export function readRotation(resource: ResourceRegistration) {
  const { rotationLambdaArn, rotationRules, rotateImmediately } = resource.inputs;
  if (typeof rotationLambdaArn !== "string")
    throw provisioningError(resource, "rotationLambdaArn is missing; secrets that AWS manages are not simulated.");
  const { automaticallyAfterDays, ...others } = (rotationRules ?? {}) as Record<string, unknown>;
  if (automaticallyAfterDays === undefined)
    throw provisioningError(resource, "rotationRules needs automaticallyAfterDays.");
  const other = Object.entries(others).find(([, value]) => value !== undefined)?.[0];
  if (other !== undefined)
    throw provisioningError(resource, `rotationRules.${other} is not simulated on this machine.`);
  return {
    functionArn: rotationLambdaArn,
    days: automaticallyAfterDays,
    rotateImmediately: rotateImmediately !== false,
  };
}

/** The result of the resource's handler. */
export function rotationResult(secret: Secret): CreateResult {
  return { id: secret.arn, outputs: { secretId: secret.arn, rotationEnabled: true } };
}

/** Drops an unfinished rotation: its version was derived from a value that the program has replaced. */
export function giveUpRotation(secret: Secret): void {
  const pending = pendingOf(secret);
  if (pending !== undefined) removeStage(secret, "AWSPENDING", pending);
}

/** The version of an unfinished rotation. */
function pendingOf(secret: Secret): string | undefined {
  const pending = versionWith(secret, "AWSPENDING");
  return pending === versionWith(secret, "AWSCURRENT") ? undefined : pending;
}

/** The function's error. The rotation function puts no secret into its errors. */
function errorOf({ payload }: Outcome): string {
  const { errorType, errorMessage } = JSON.parse(payload) as { errorType?: string; errorMessage?: string };
  return `${errorType}: ${errorMessage}`;
}
