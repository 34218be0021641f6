import { CommandError } from "./commandError";

/** How many errors behind an error are told: a chain of causes may end in itself. */
const mostCauses = 4;

/** An error in words for the person who runs a command; a defect of this project comes with its stack. */
export function explained(error: unknown): string {
  if (isConfigError(error)) return `${error.description}\n${wayHere(error)}`;
  if (error instanceof CommandError || isRunError(error) || isSchemaError(error)) return error.message;
  return stackOf(error);
}

/**
 * An answer of an AWS service in words, or an error of the SDK's own: no credentials, no network.
 *
 * @returns undefined for any other error
 */
export function awsFault(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const isOfAws = "$metadata" in error || /Provider(Error)?$/.test(error.name);
  return isOfAws ? `AWS: ${error.message} (${error.name})` : undefined;
}

/** Stacks only: other fields of a driver's error may hold a statement with its values. */
function stackOf(error: unknown): string {
  const stacks: string[] = [];
  for (let next = error; next instanceof Error && stacks.length <= mostCauses; next = next.cause) {
    stacks.push(next.stack ?? next.message);
  }
  return stacks.length > 0 ? stacks.join("\nCaused by ") : String(error);
}

/** What to do where the command line overrides the stack's file, and no Pulumi CLI is needed. */
function wayHere({ stackName, faults }: ConfigError): string {
  const fits = faults.flatMap(({ key, fit }) =>
    fit === undefined ? [] : [`--set ${quoted(`${key.replace(/^.*?:/, "")}=${fit}`)}`],
  );
  const here = fits.length === faults.length ? ` Here these would do:\n  ${fits.join(" ")}` : "";
  return `Edit Pulumi.${stackName}.yaml, or give other values with --set KEY=VALUE; docs/configuration.md describes each key.${here}`;
}

/** As a shell takes it for one word. */
const quoted = (word: string) => (/^[\w.:/=@-]+$/.test(word) ? word : `'${word}'`);

/** Pulumi's own mark for errors that are the person's to mend, such as a faulty configuration. */
const isRunError = (error: unknown): error is Error => error instanceof Error && "__pulumiRunError" in error;

/** By its name: it is no class. The runner's faults are sentences with what to do. */
const isSchemaError = (error: unknown): error is Error => error instanceof Error && error.name === "SchemaError";

/** The program's error for a faulty configuration, whose class no command imports: the program is loaded late. */
interface ConfigError extends Error {
  readonly stackName: string;
  readonly description: string;
  /** Each with its key, and where there is one a value that would do. */
  readonly faults: readonly { readonly key: string; readonly fit?: string }[];
}

/** By its fields. */
const isConfigError = (error: unknown): error is ConfigError => isRunError(error) && "faults" in error;
