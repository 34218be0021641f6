import * as pulumi from "@pulumi/pulumi";
import { UserError } from "./userErrors";

/** The same range as `requiredPulumiVersion` in Pulumi.yaml, which older CLIs do not read. */
const range = ">=3.226.0";

/**
 * Asks the engine for its version. Without a CLI, as on the local target, there is no engine and no check.
 *
 * @throws UserError if the engine is too old: it would ignore `replacementTrigger`
 */
export async function requirePulumi(): Promise<void> {
  try {
    await pulumi.requirePulumiVersion(range);
  } catch (error) {
    throw new UserError(`This program needs the Pulumi CLI ${range}: ${(error as Error).message}`);
  }
}
