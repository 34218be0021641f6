import { codeOf, type LoggedError } from "./loggedError";

/** One line of the log. Lambda's JSON log format writes it under `message`, so a filter reads `$.message.code`. */
export interface Line {
  /** The code of an error, or of what was done. */
  readonly code: string;
  readonly detail?: string;
  readonly triggerSource?: string;
  readonly sub?: string;
  /** The chain of the error's causes, outermost first. */
  readonly causes?: readonly Cause[];
}

/**
 * What may be logged of an error of MySQL, the driver or the SDK: never its message, which may quote a password or
 * address.
 */
export interface Cause {
  readonly name: string;
  readonly code?: string;
  readonly status?: string;
}

/**
 * Writes one line. `error`: a person got an error, or the row is missing permanently; `warn`: only the row is missing,
 * for now.
 */
export type Log = (level: "info" | "warn" | "error", line: Line) => void;

/**
 * Passes the line to the console as an object. Lambda's JSON log format writes it as one line of JSON, and the text
 * format escapes its line breaks; so the content of a line cannot start another line.
 * {@link https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html}
 */
export const consoleLog: Log = (level, line) => console[level](line);

/**
 * Marks an error that is already in the log. Lambda's runtime logs a thrown error once more, with the error's
 * enumerable properties and so with this mark, and the metric filters ignore that line. An error that the runtime logs
 * without the mark was not caught.
 */
export function logged<E extends Error>(error: E): E {
  return Object.assign(error, { logged: true });
}

/** The fields of an error's line in the log. */
export function lineOf(error: LoggedError): Pick<Line, "code" | "detail" | "causes"> {
  const causes = causesOf(error.cause);
  return { code: error.code, detail: error.detail, ...(causes.length > 0 ? { causes } : {}) };
}

function causesOf(error: unknown): Cause[] {
  const causes: Cause[] = [];
  // A chain of causes may be circular, and a long one is of no use.
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

/** A short word of such an error. Any other value is not a name or code, and `?` replaces it. */
function token(value: unknown): string {
  return /^[\w.:-]{1,64}$/.test(String(value)) ? String(value) : "?";
}
