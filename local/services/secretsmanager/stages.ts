import { AwsError } from "../aws/awsError";
import type { Secret } from "./store";

/** The ID of the version that has a staging label; undefined if no version has it. */
export function versionWith(secret: Secret, stage: string): string | undefined {
  return Object.keys(secret.versions).find((id) => secret.versions[id]!.stages.includes(stage));
}

/**
 * Puts a staging label on a version, taking it off the one that has it. When AWSCURRENT moves, AWSPREVIOUS goes to
 * the version that was current.
 */
export function moveStage(secret: Secret, stage: string, to: string): void {
  const from = versionWith(secret, stage);
  if (from === to) return;
  if (from !== undefined) removeStage(secret, stage, from);
  secret.versions[to]!.stages.push(stage);
  if (stage === "AWSCURRENT" && from !== undefined) moveStage(secret, "AWSPREVIOUS", from);
}

/** Takes a staging label off a version; does nothing if the version does not have it. */
export function removeStage(secret: Secret, stage: string, from: string): void {
  const version = secret.versions[from]!;
  version.stages = version.stages.filter((other) => other !== stage);
}

/**
 * `UpdateSecretVersionStage`: moves, adds or removes a label.
 * @throws AwsError if the label is on another version than the request says, as on AWS.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
 */
export function updateStage(secret: Secret, stage: string, moveTo?: string, removeFrom?: string): void {
  for (const id of [moveTo, removeFrom]) {
    if (id !== undefined && !Object.hasOwn(secret.versions, id)) {
      throw new AwsError(
        "ResourceNotFoundException",
        400,
        `Secrets Manager can't find the specified secret version: ${id}.`,
      );
    }
  }
  const holder = versionWith(secret, stage);
  if (holder !== undefined && holder !== removeFrom && holder !== moveTo) {
    throw invalid(
      `The parameter RemoveFromVersionId can't be empty or another version. Staging label ${stage} is currently ` +
        `attached to version ${holder}, so you must explicitly reference that version in RemoveFromVersionId.`,
    );
  }
  if (removeFrom !== undefined && holder !== removeFrom) {
    throw invalid(`The staging label ${stage} isn't currently attached to version ${removeFrom}.`);
  }
  if (moveTo !== undefined) moveStage(secret, stage, moveTo);
  else if (removeFrom === undefined) throw invalid("You must specify MoveToVersionId or RemoveFromVersionId.");
  else if (stage === "AWSCURRENT") throw invalid("You can't remove AWSCURRENT without moving it to another version.");
  else removeStage(secret, stage, removeFrom);
}

function invalid(message: string): AwsError {
  return new AwsError("InvalidParameterException", 400, message);
}
