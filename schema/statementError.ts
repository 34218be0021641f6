import { codeOf } from "./connection";
import { schemaError } from "./error";
import type { Statement } from "./statements";

/** How much of a statement a message shows, in characters. */
const longestQuote = 200;

/**
 * The error for a statement that failed.
 *
 * @param which for example `statement 2 of 3`
 * @param file the file's name in the message
 * @param advice end of the message: the state of the other statements, and what to do
 */
export function statementError(
  { text, line }: Statement,
  which: string,
  file: string,
  error: unknown,
  advice = "The statements before it are applied; correct the file and apply it again.",
): Error {
  const code = codeOf(error);
  const reason = error instanceof Error ? error.message : String(error);
  // MySQL counts lines from the beginning of the statement.
  const lineInStatement = /\bat line (\d+)$/.exec(reason)?.[1];
  const failedLine = lineInStatement ? line + Number(lineInStatement) - 1 : line;
  const whole = text.replaceAll(/\s+/g, " ");
  const beginning = whole.length > longestQuote ? `${whole.slice(0, longestQuote)}…` : whole;
  return schemaError(
    `Line ${failedLine} of ${file} failed (${which}, "${beginning}", beginning on line ${line}): ${code} ${reason}. ` +
      advice,
    { code, line: failedLine, cause: error },
  );
}
