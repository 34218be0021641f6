import { dataFolder, projectRoot } from "../../cli/folders";
import { outputsName } from "../../cli/localOutputs";
import { stopRequest } from "../../cli/stopRequests";
import { stackConfig } from "../../host/stackConfig";
import { DataFolder } from "../lib/dataFolder";
import { ConsoleReporter } from "./consoleReporter";
import { runSmokeTest } from "./smokeTest";
import { startSystem } from "./system";

/** What the command line asks for. */
export interface Options {
  /** Stop after the proof. */
  readonly once: boolean;
  /** Start from nothing. */
  readonly reset: boolean;
  readonly stack: string;
  /** `KEY=VALUE` over the stack's configuration. */
  readonly set: readonly string[];
  /** The data folder, as the person names it. */
  readonly dir: string;
}

/** Starts the system, proves that it works, and keeps it until it is asked to stop. */
export async function run({ once, reset, stack, set, dir }: Options): Promise<void> {
  const stopped = stopRequest();
  const reporter = new ConsoleReporter();
  const values = stackConfig(projectRoot, stack, set);
  const folder = await DataFolder.open(dataFolder(dir), { reset, stack });
  try {
    reporter.title(stack);
    const system = await startSystem({ folder, stack, values, reporter });
    try {
      folder.write(outputsName, system.outputs);
      const begun = performance.now();
      reporter.proven(await runSmokeTest(system.outputs), performance.now() - begun);
      if (once) reporter.proofDone(system);
      else {
        reporter.ready(system, stack, dir);
        await stopped;
        reporter.stopping();
      }
    } finally {
      await folder.remove(outputsName);
      await system.close();
    }
    if (once) reporter.stopped(dir);
  } catch (error) {
    reporter.setApart();
    throw error;
  } finally {
    await folder.close();
  }
}
