import { UsageError } from "../cli/command";
import { dataFolder } from "../cli/folders";

/** The options with which a command chooses a deployed system. */
export const systemOptions = {
  stack: { type: "string" },
  local: { type: "boolean", default: false },
  dir: { type: "string" },
} as const;

/** A stack on AWS by its name, or the local system on a data folder. */
export type SystemChoice = { readonly stack: string } | { readonly directory: string };

/**
 * The system that the options choose: the local one unless they name a stack.
 * @throws UsageError where they name both
 */
export function chosenSystem(values: { stack?: string; local: boolean; dir?: string }): SystemChoice {
  const { stack, local, dir } = values;
  if (stack === undefined) return { directory: dataFolder(dir) };
  if (local || dir !== undefined) {
    throw new UsageError(
      "--stack is a system on AWS, --local and --dir are one on this machine: give one or the other",
    );
  }
  return { stack };
}
