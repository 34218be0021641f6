import { codeOf, type LoggedError } from "./loggedError";

/** One line of the log. With Lambda's JSON log format it stands under `message`, so a filter reads `$.message.code`. */
export interface Line {
  /** A fault's code, or what was done. */
  readonly code: string;
  readonly detail?: string;
  readonly triggerSource?: string;
  readonly sub?: string;
  /** The errors behind the fault, outermost first. */
  readonly causes?: readonly Cause[];
}

/** What may be told of an error that somebody else made: never its message, which may quote a password or address. */
export interface Cause {
  readonly name: string;
  readonly code?: string;
  readonly status?: string;
}

/**
 * Writes one line. `error`: a person was turned away, or left without a row for good; `warn`: only the row is missing,
 * for now.
 */
export type Log = (level: "info" | "warn" | "error", line: Line) => void;

/**
 * Hands the line to the console as an object, which Lambda's JSON log format writes as one line of JSON and the text
 * format with its line breaks escaped: what a line holds cannot start another one.
 * {@link https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html}
 */
export const consoleLog: Log = (level, line) => console[level](line);

/**
 * Marks an error that has its line in the log already. Lambda's runtime writes what it is thrown once more, with the
 * error's enumerable properties and so with this mark, and the metric filters leave that line out. What the runtime
 * writes without it was caught by nobody.
 */
export function logged<E extends Error>(error: E): E {
  return Object.assign(error, { logged: true });
}

/** What the log says of a fault. */
export function lineOf(fault: LoggedError): Pick<Line, "code" | "detail" | "causes"> {
  const causes = causesOf(fault.cause);
  return { code: fault.code, detail: fault.detail, ...(causes.length > 0 ? { causes } : {}) };
}

function causesOf(error: unknown): Cause[] {
  const causes: Cause[] = [];
  // A chain of causes may end in itself, and nobody reads a long one.
  for (let next = error; next instanceof Error && causes.length < 4; next = next.cause) {
    const { name, $metadata } = next as Error & { $metadata?: { httpStatusCode?: unknown } };
    const [code, status] = [codeOf(next), $metadata?.httpStatusCode];
    causes.push({
      name: token(name),
      ...(code === undefined ? {} : { code: token(code) }),
      ...(status === undefined ? {} : { status: token(status) }),
    });
  }
  return causes;
}

/** A short word out of a foreign error; anything longer or stranger is not a name or code and stays out. */
function token(value: unknown): string {
  return /^[\w.:-]{1,64}$/.test(String(value)) ? String(value) : "?";
}
