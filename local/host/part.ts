/**
 * The seam between the program and this machine: every resource that `infra/` registers is handed to the one part
 * of `local/` that makes it real.
 */

/** A resource as the program registered it: inputs are resolved and no longer wrapped as secrets. */
export interface Registered {
  /** Type token, for example `aws:rds/instance:Instance`. */
  readonly type: string;
  /** Logical name in the program. */
  readonly name: string;
  readonly inputs: Record<string, unknown>;
  /** Inputs of the explicit provider resource in use, where there is one (`pulumi:providers:mysql`). */
  readonly providerInputs?: Record<string, unknown>;
}

/** What a part answers: the physical identifier and the outputs, which are laid over the inputs. */
export interface Made {
  readonly id: string;
  readonly outputs: Record<string, unknown>;
}

/** Makes one resource real. Called again with the same resource on the next start: it must be idempotent. */
export type Maker = (resource: Registered) => Made | Promise<Made>;

/** One real part of the local system, for example the MySQL server. */
export interface Part {
  /** Type token → maker. */
  readonly makers: Readonly<Record<string, Maker>>;
  /** Ends every server and process of the part; safe to call twice. */
  close(): Promise<void>;
}

/** What every part is told about where it runs. */
export interface Site {
  /** Absolute path of the data folder (`.local/`). */
  readonly directory: string;
  readonly region: string;
  readonly accountId: string;
  /** The remembered free port on 127.0.0.1 for this use (`cognito`, `mysql`, …); throws a CommandError where it is taken. */
  port(use: string): Promise<number>;
  /** Reports a finished step or a fact to the screen; never a secret. */
  say(line: string): void;
}

/**
 * The refusal of a resource, because of what the program asks for or what AWS would answer.
 *
 * @param sentence what was got, what is allowed, and what to do
 */
export function fault(
  { type, name }: Pick<Registered, "type" | "name">,
  sentence: string,
  cause?: unknown,
): CommandError {
  return new CommandError(`${type} "${name}": ${sentence}`, { cause });
}

/** A command that cannot go on, told to the person in one sentence with what to do; printed without a stack. */
export class CommandError extends Error {
  override readonly name: string = "CommandError";
}
