/**
 * Moves the staging labels of a secret's versions as AWS does, and as the real provider does when it deletes a version:
 * the provider removes the labels that Pulumi's state has
 * (github.com/hashicorp/terraform-provider-aws, `internal/service/secretsmanager/secret_version.go`).
 */
import type { Cloud, Thing } from "./cloud";
import type { Properties } from "./provider";

const type = "aws:secretsmanager/secretVersion:SecretVersion";

/** The versions that the program made; versions made by rotations have no resource. */
export const versionsOf = (cloud: Cloud, secretId: unknown): Thing[] =>
  cloud.things().filter((thing) => thing.type === type && thing.inputs.secretId === secretId);

/** Moves the labels: another version becomes the current one. */
export function supersede(cloud: Cloud, secretId: unknown): void {
  for (const version of versionsOf(cloud, secretId)) {
    const versionStages = version.outputs.versionStages.includes("AWSCURRENT") ? ["AWSPREVIOUS"] : [];
    cloud.put({ ...version, outputs: { ...version.outputs, versionStages } });
  }
}

/** @throws Error if a label that the state has is no longer on the version */
export function removeLabels(version: Thing, state: Properties): void {
  for (const stage of state.versionStages as string[]) {
    // "Cannot remove AWSCURRENT staging label": skipped, with a warning in the provider's log.
    if (stage === "AWSCURRENT" || version.outputs.versionStages.includes(stage)) continue;
    throw new Error(`InvalidParameterException: staging label ${stage} is not attached to version ${version.id}`);
  }
}
