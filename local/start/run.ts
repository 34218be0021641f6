import { dataFolder, projectRoot } from "../../cli/folders";
import { outputsName } from "../../cli/localOutputs";
import { stopRequest } from "../../cli/stopRequests";
import { stackConfig } from "../../host/stackConfig";
import { DataFolder } from "../lib/dataFolder";
import { ConsoleReporter } from "./consoleReporter";
import type * as smokeTest from "./smokeTest";
import type * as system from "./system";

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
    // Loaded only now: the program and the services take a second to load, and the checks above need none of them.
    const { startSystem } = require("./system") as typeof system;
    const running = await startSystem({ folder, stack, values, reporter });
    try {
      folder.write(outputsName, running.outputs);
      const { runSmokeTest } = require("./smokeTest") as typeof smokeTest;
      const begun = performance.now();
      reporter.proven(await runSmokeTest(running.outputs), performance.now() - begun);
      if (once) reporter.proofDone(running);
      else {
        reporter.ready(running, stack, dir);
        await stopped;
        reporter.stopping();
      }
    } finally {
      await folder.remove(outputsName);
      await running.close();
    }
    if (once) reporter.stopped(dir);
  } catch (error) {
    reporter.setApart();
    throw error;
  } finally {
    await folder.close();
  }
}
