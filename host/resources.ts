/**
 * The interface between the program and this machine: every resource that `infra/` registers is passed to the one
 * service of `local/` that creates it.
 */
import { CommandError } from "../cli/commandError";

/** A resource as the program registered it: inputs are resolved and no longer wrapped as secrets. */
export interface ResourceRegistration {
  /** Type token, for example `aws:rds/instance:Instance`. */
  readonly type: string;
  /** Logical name in the program. */
  readonly name: string;
  readonly inputs: Record<string, unknown>;
  /** Inputs of the explicit provider resource in use, where there is one (`pulumi:providers:mysql`). */
  readonly providerInputs?: Record<string, unknown>;
}

/** What a handler returns: the physical identifier and the outputs, which override inputs of the same name. */
export interface CreateResult {
  readonly id: string;
  readonly outputs: Record<string, unknown>;
}

/** Creates one resource on this machine. Called again with the same resource on the next start: must be idempotent. */
export type CreateHandler = (resource: ResourceRegistration) => CreateResult | Promise<CreateResult>;

/**
 * The error for a resource that cannot be created, because of its inputs or because AWS would refuse it.
 *
 * @param sentence the value that was found, what is allowed, and what to do
 */
export function provisioningError(
  { type, name }: Pick<ResourceRegistration, "type" | "name">,
  sentence: string,
  cause?: unknown,
): CommandError {
  return new CommandError(`${type} "${name}": ${sentence}`, { cause });
}
