import { type Command, type Options, runCommand, type Values } from "./command";
import { onStopRequest } from "./stopRequests";

/** A command whose work Ctrl-C or SIGTERM may stop. */
export interface StoppableCommand<O extends Options> extends Omit<Command<O>, "run"> {
  /**
   * Does the command's work.
   * @param signal stops it; an error that is thrown after the signal is not printed
   * @returns the exit code
   */
  run(values: Values<O>, signal: AbortSignal): Promise<number>;
}

/** Runs such a command and ends the process; the exit code is the signal's, 130 or 143, where one stopped it. */
export async function runStoppable<const O extends Options>(
  args: string[],
  command: StoppableCommand<O>,
): Promise<void> {
  // A process that ends before the code below sets the exit code must not report success.
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
  // The callback waits until standard output is written, since a pipe may be slow. `exit` is needed, since a request
  // that was given up keeps the event loop running for a while.
  process.stdout.write("", () => process.exit());
}
