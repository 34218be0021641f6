import { type Command, type Options, runCommand, type Values } from "./command";
import { onStopRequest } from "./stopRequests";

/** A command whose work Ctrl-C or SIGTERM may stop. */
export interface StoppableCommand<O extends Options> extends Omit<Command<O>, "run"> {
  /**
   * Does it.
   * @param signal stops it; what is thrown from then on is not told
   * @returns the exit code
   */
  run(values: Values<O>, signal: AbortSignal): Promise<number>;
}

/** Runs such a command and ends the process: with the signal's exit code, 130 or 143, where one stopped it. */
export async function runStoppable<const O extends Options>(
  args: string[],
  command: StoppableCommand<O>,
): Promise<void> {
  // Should the process ever end before the code below says how, that is no success.
  process.exitCode = 1;
  const stop = new AbortController();
  let stopCode: number | undefined;
  onStopRequest((exitCode) => {
    stopCode = exitCode;
    stop.abort();
  });
  await runCommand(args, {
    ...command,
    run: async (values) => {
      try {
        return await command.run(values, stop.signal);
      } catch (error) {
        if (stopCode === undefined) throw error;
        return stopCode;
      }
    },
  });
  // Waited for, since a pipe may take its time; not left to the event loop, which a request given up holds for a while.
  process.stdout.write("", () => process.exit());
}
