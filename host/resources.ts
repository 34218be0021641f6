/**
 * The seam between the program and this machine: every resource that `infra/` registers is handed to the one part
 * of `local/` that makes it real.
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

/** What a part answers: the physical identifier and the outputs, which are laid over the inputs. */
export interface CreateResult {
  readonly id: string;
  readonly outputs: Record<string, unknown>;
}

/** Makes one resource real. Called again with the same resource on the next start: it must be idempotent. */
export type CreateHandler = (resource: ResourceRegistration) => CreateResult | Promise<CreateResult>;

/**
 * The refusal of a resource, because of what the program asks for or what AWS would answer.
 *
 * @param sentence what was got, what is allowed, and what to do
 */
export function provisioningError(
  { type, name }: Pick<ResourceRegistration, "type" | "name">,
  sentence: string,
  cause?: unknown,
): CommandError {
  return new CommandError(`${type} "${name}": ${sentence}`, { cause });
}
