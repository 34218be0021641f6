/**
 * Signals within this time are one request: at Ctrl-C a terminal signals npm and the command that npm runs, and npm
 * passes on what it got; `timeout` signals its command and then the whole group.
 */
const oneRequestMs = 1_000;

const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

type StopSignal = keyof typeof exitCodes;

/**
 * Hears the person or the operating system ask to stop. Who asks again does not want to wait: that ends the process at
 * once, with the signal's exit code.
 *
 * @param heard is called once, with the code that shells give a command which the signal ended: 128 and its number
 */
export function onStopRequest(heard: (exitCode: number) => void): void {
  let asked: number | undefined;
  for (const signal of Object.keys(exitCodes) as StopSignal[]) {
    process.on(signal, () => {
      if (asked === undefined) {
        asked = performance.now();
        heard(exitCodes[signal]);
      } else if (performance.now() - asked > oneRequestMs) process.exit(exitCodes[signal]);
    });
  }
}

/** Resolves when somebody asks to stop. */
export const stopRequest = () => new Promise<void>((resolve) => onStopRequest(() => resolve()));
