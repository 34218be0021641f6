import { CommandError } from "./commandError";

/** How many causes of an error are printed: a chain of causes may be circular. */
const mostCauses = 4;

/** An error as text for the person who runs a command; a defect of this project comes with its stack trace. */
export function describeError(error: unknown): string {
  if (isConfigError(error)) return `${error.description}\n${wayHere(error)}`;
  if (error instanceof CommandError || isRunError(error) || isSchemaError(error)) return error.message;
  return stackOf(error);
}

/**
 * The text for an error response of an AWS service, or for an error of the SDK itself, such as missing credentials or
 * no network.
 *
 * @returns undefined for any other error
 */
export function describeAwsError(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const isOfAws = "$metadata" in error || /Provider(Error)?$/.test(error.name);
  return isOfAws ? `AWS: ${error.message} (${error.name})` : undefined;
}

/** Only the stack traces: other fields of a database driver's error may hold a statement with its values. */
function stackOf(error: unknown): string {
  const stacks: string[] = [];
  for (let next = error; next instanceof Error && stacks.length <= mostCauses; next = next.cause) {
    stacks.push(next.stack ?? next.message);
  }
  return stacks.length > 0 ? stacks.join("\nCaused by ") : String(error);
}

/** What to do in a command that has `--set`, which overrides the stack's file, and needs no Pulumi CLI. */
function wayHere({ stackName, issues }: ConfigError): string {
  const suggestions = issues.flatMap(({ key, suggestion }) =>
    suggestion === undefined ? [] : [`--set ${quoted(`${key.replace(/^.*?:/, "")}=${suggestion}`)}`],
  );
  const here = suggestions.length === issues.length ? ` Here these would do:\n  ${suggestions.join(" ")}` : "";
  return `Edit Pulumi.${stackName}.yaml, or give other values with --set KEY=VALUE; docs/configuration.md describes each key.${here}`;
}

/** Quoted so that a shell reads it as one word. */
const quoted = (word: string) => (/^[\w.:/=@-]+$/.test(word) ? word : `'${word}'`);

/** Pulumi's mark for errors that the person can correct, such as an invalid configuration. */
const isRunError = (error: unknown): error is Error => error instanceof Error && "__pulumiRunError" in error;

/** Recognized by its name, because it is not a class. Its message is a sentence with what to do. */
const isSchemaError = (error: unknown): error is Error => error instanceof Error && error.name === "SchemaError";

/** The program's error for an invalid configuration. No command imports its class: the program is loaded late. */
interface ConfigError extends Error {
  readonly stackName: string;
  readonly description: string;
  /** One for each invalid key, with a valid value where one can be suggested. */
  readonly issues: readonly { readonly key: string; readonly suggestion?: string }[];
}

/** Recognized by its fields. */
const isConfigError = (error: unknown): error is ConfigError => isRunError(error) && "issues" in error;
