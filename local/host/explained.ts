import type { ConfigError } from "../../infra/config";
import { StartError } from "./part";

/**
 * An error in words for the person who runs a command of this machine.
 *
 * @returns undefined for a defect of this project, which is told with its stack
 */
export function explained(error: unknown): string | undefined {
  if (isConfigError(error)) return `${error.description}\n${wayHere(error)}`;
  return error instanceof StartError || isRunError(error) ? error.message : undefined;
}

/** What to do where the command line overrides the stack's file, and no Pulumi CLI is needed. */
function wayHere({ stackName, faults }: ConfigError): string {
  const fits = faults.flatMap(({ key, fit }) =>
    fit === undefined ? [] : [`--set ${quoted(`${key.replace(/^.*?:/, "")}=${fit}`)}`],
  );
  const here = fits.length === faults.length ? ` Here these would do:\n  ${fits.join(" ")}` : "";
  return `Edit Pulumi.${stackName}.yaml, or give other values with --set KEY=VALUE; README.md describes each key.${here}`;
}

/** As a shell takes it for one word. */
const quoted = (word: string) => (/^[\w.:/=@-]+$/.test(word) ? word : `'${word}'`);

/** Pulumi's own mark for errors that are the person's to mend, such as a faulty configuration. */
const isRunError = (error: unknown): error is Error => error instanceof Error && "__pulumiRunError" in error;

/** By its fields: the program is loaded late, and by some callers past this loader. */
const isConfigError = (error: unknown): error is ConfigError => isRunError(error) && "faults" in error;
