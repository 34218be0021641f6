import { type ParseArgsConfig, parseArgs } from "node:util";
import { CommandError } from "./commandError";
import { describeError } from "./describeError";

/** The options of a command by name, as `parseArgs` takes them. */
export type Options = NonNullable<ParseArgsConfig["options"]>;

/** The parsed values of a command line's options. */
export type Values<O extends Options> = ReturnType<typeof parseArgs<{ options: O }>>["values"];

/** One of the commands that package.json names. */
export interface Command<O extends Options> {
  /** What the command does, its options and its exit codes. */
  readonly usage: string;
  /** Without `--help`, which every command has. */
  readonly options: O;
  /** Whether it takes arguments that are not options. @default false */
  readonly positionals?: boolean;
  /**
   * Describes errors that occur in this command only.
   * @returns undefined for any other error
   */
  readonly explain?: (error: unknown) => string | undefined;
  /**
   * Does the command's work.
   * @returns the exit code
   * @throws UsageError for options that do not go together; any other error is printed, and the exit code is 1
   */
  run(values: Values<O>, positionals: readonly string[]): Promise<number>;
}

/** A command line that the command does not accept: printed with the usage. */
export class UsageError extends CommandError {
  override readonly name = "UsageError";
}

/**
 * Runs a command and sets the exit code. Prints errors on standard error: one that the person can correct as a
 * sentence, a defect of this project with its stack trace.
 */
export async function runCommand<const O extends Options>(args: string[], command: Command<O>): Promise<void> {
  try {
    process.exitCode = await run(args, command);
  } catch (error) {
    const message = command.explain?.(error) ?? describeError(error);
    console.error(error instanceof UsageError ? `${message}\n\n${command.usage}` : message);
    process.exitCode = 1;
  }
}

async function run<O extends Options>(args: string[], command: Command<O>): Promise<number> {
  const { values, positionals } = parsed(args, command);
  if ("help" in values) {
    console.log(command.usage);
    return 0;
  }
  return command.run(values as Values<O>, positionals);
}

function parsed<O extends Options>(args: string[], { options, positionals = false }: Command<O>) {
  try {
    return parseArgs({ args, allowPositionals: positionals, options: { ...options, help: { type: "boolean" } } });
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}
