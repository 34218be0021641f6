/**
 * Signals within this time are one request: at Ctrl-C a terminal signals npm and the command that npm runs, and npm
 * passes its signal on to the command too; `timeout` signals its command and then the whole process group.
 */
const oneRequestMs = 1_000;

const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

type StopSignal = keyof typeof exitCodes;

/**
 * Listens for SIGINT, SIGTERM and SIGHUP. A second request ends the process at once, with the signal's exit code.
 *
 * @param stop called once, at the first request, with the exit code that shells report for a command that the signal
 *   ended: 128 plus the signal's number
 */
export function onStopRequest(stop: (exitCode: number) => void): void {
  let requestedAt: number | undefined;
  for (const signal of Object.keys(exitCodes) as StopSignal[]) {
    process.on(signal, () => {
      if (requestedAt === undefined) {
        requestedAt = performance.now();
        stop(exitCodes[signal]);
      } else if (performance.now() - requestedAt > oneRequestMs) process.exit(exitCodes[signal]);
    });
  }
}

/** Resolves at the first stop request. */
export const stopRequest = () => new Promise<void>((resolve) => onStopRequest(() => resolve()));
