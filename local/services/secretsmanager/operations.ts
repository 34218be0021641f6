import { randomUUID } from "node:crypto";
import { AwsError } from "../aws/awsError";
import { moveStage, updateStage, versionWith } from "./stages";
import type { Secret, Version } from "./store";

/** An operation of the Secrets Manager API on a secret that the caller may use. */
export interface Operation {
  /** Whether it changes the secret, which must then be saved. */
  readonly changes: boolean;
  run(secret: Secret, input: Input, now: number): Record<string, unknown>;
}

export type Input = Readonly<Record<string, unknown>>;

/** The operations that reading and rotating a secret need; see the API reference for each. */
export const operations: Readonly<Record<string, Operation>> = {
  GetSecretValue: { changes: false, run: getSecretValue },
  DescribeSecret: { changes: false, run: describeSecret },
  ListSecretVersionIds: { changes: false, run: listSecretVersionIds },
  PutSecretValue: { changes: true, run: putSecretValue },
  UpdateSecretVersionStage: { changes: true, run: updateSecretVersionStage },
};

function getSecretValue(secret: Secret, input: Input): Record<string, unknown> {
  const versionId = text(input, "VersionId");
  const stage = text(input, "VersionStage") ?? (versionId === undefined ? "AWSCURRENT" : undefined);
  const id = versionId ?? versionWith(secret, stage!);
  const version = id !== undefined && Object.hasOwn(secret.versions, id) ? secret.versions[id] : undefined;
  if (id === undefined || !version || isEmpty(version) || (stage !== undefined && !version.stages.includes(stage))) {
    const by = versionId === undefined ? `staging label: ${stage}` : `VersionId: ${versionId}`;
    throw notFound(`Secrets Manager can't find the specified secret value for ${by}`);
  }
  const { secretString, secretBinary, stages, createdDate } = version;
  return {
    ...identity(secret),
    VersionId: id,
    SecretString: secretString,
    SecretBinary: secretBinary,
    VersionStages: stages,
    CreatedDate: createdDate,
  };
}

function describeSecret(secret: Secret): Record<string, unknown> {
  return {
    ...identity(secret),
    Description: secret.description,
    ...rotationOf(secret),
    CreatedDate: secret.createdDate,
    LastChangedDate: secret.lastChangedDate,
    VersionIdsToStages: Object.fromEntries(labelled(secret).map(([id, { stages }]) => [id, stages])),
  };
}

function rotationOf({ rotation }: Secret): Record<string, unknown> {
  if (rotation === undefined) return { RotationEnabled: false };
  const { functionArn, days, lastRotatedDate } = rotation;
  const next = days === undefined || lastRotatedDate === undefined ? undefined : lastRotatedDate + days * 24 * 60 * 60;
  return {
    RotationEnabled: true,
    RotationLambdaARN: functionArn,
    RotationRules: { AutomaticallyAfterDays: days },
    LastRotatedDate: lastRotatedDate,
    NextRotationDate: next,
  };
}

function listSecretVersionIds(secret: Secret, input: Input): Record<string, unknown> {
  const versions = input.IncludeDeprecated === true ? Object.entries(secret.versions) : labelled(secret);
  return {
    ...identity(secret),
    Versions: versions.map(([id, { stages, createdDate }]) => ({
      VersionId: id,
      VersionStages: stages,
      CreatedDate: createdDate,
    })),
  };
}

function putSecretValue(secret: Secret, input: Input, now: number): Record<string, unknown> {
  const secretString = text(input, "SecretString");
  const secretBinary = text(input, "SecretBinary");
  if ((secretString === undefined) === (secretBinary === undefined)) {
    throw new AwsError("InvalidRequestException", 400, "You must provide either SecretString or SecretBinary.");
  }
  const stages = stageList(input.VersionStages);
  const token = requestToken(input);
  const id = addVersion(secret, { id: token, value: { secretString, secretBinary }, stages, now });
  return { ...identity(secret), VersionId: id, VersionStages: secret.versions[id]!.stages };
}

function updateSecretVersionStage(secret: Secret, input: Input): Record<string, unknown> {
  const stage = text(input, "VersionStage");
  if (stage === undefined) throw invalid("You must specify VersionStage.");
  updateStage(secret, stage, text(input, "MoveToVersionId"), text(input, "RemoveFromVersionId"));
  return identity(secret);
}

/**
 * Adds a version with its labels, or fills the empty version that a rotation has added. An existing ID with the same
 * value is a repeated request, and adds no version.
 * @throws AwsError ResourceExistsException for an existing ID with another value.
 */
export function addVersion(
  secret: Secret,
  add: { id: string; value: Pick<Version, "secretString" | "secretBinary">; stages: readonly string[]; now: number },
): string {
  const existing = Object.hasOwn(secret.versions, add.id) ? secret.versions[add.id] : undefined;
  const { secretString, secretBinary } = add.value;
  if (!existing || isEmpty(existing)) {
    secret.versions[add.id] = { secretString, secretBinary, stages: existing?.stages ?? [], createdDate: add.now };
    secret.lastChangedDate = add.now;
  } else if (existing.secretString !== secretString || existing.secretBinary !== secretBinary) {
    const message = `You can't use ClientRequestToken ${add.id} because that value is already in use for a version of secret ${secret.arn}.`;
    throw new AwsError("ResourceExistsException", 400, message);
  }
  // The first version of a secret is its current one, whatever labels the request names.
  const stages = versionWith(secret, "AWSCURRENT") === undefined ? new Set(["AWSCURRENT", ...add.stages]) : add.stages;
  for (const stage of stages) moveStage(secret, stage, add.id);
  return add.id;
}

export function notFound(message = "Secrets Manager can't find the specified secret."): AwsError {
  return new AwsError("ResourceNotFoundException", 400, message);
}

function invalid(message: string): AwsError {
  return new AwsError("InvalidParameterException", 400, message);
}

export function identity(secret: Secret): { ARN: string; Name: string } {
  return { ARN: secret.arn, Name: secret.name };
}

function isEmpty({ secretString, secretBinary }: Version): boolean {
  return secretString === undefined && secretBinary === undefined;
}

function labelled(secret: Secret): [string, Version][] {
  return Object.entries(secret.versions).filter(([, version]) => version.stages.length > 0);
}

/** A text field of the request, or undefined where it is absent. */
export function text(input: Input, key: string): string | undefined {
  const value = input[key] ?? undefined;
  if (value === undefined || typeof value === "string") return value;
  throw new AwsError("SerializationException", 400, `${key} must be a string.`);
}

/**
 * The token that marks repeated requests as the same one, and is the ID of the version that they add.
 * @default a new UUID
 * @throws AwsError InvalidParameterException if its length is not 32 to 64
 */
export function requestToken(input: Input): string {
  const token = text(input, "ClientRequestToken") ?? randomUUID();
  if (token.length >= 32 && token.length <= 64) return token;
  throw invalid(`ClientRequestToken has ${token.length} characters; it must be between 32 and 64.`);
}

function stageList(raw: unknown): string[] {
  if (raw === undefined || raw === null) return ["AWSCURRENT"];
  if (!Array.isArray(raw) || raw.length === 0 || raw.some((stage) => typeof stage !== "string")) {
    throw invalid("VersionStages must be a list of 1 to 20 strings.");
  }
  return raw;
}
