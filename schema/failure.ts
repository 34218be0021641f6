import { codeOf } from "./connection";
import { schemaError } from "./error";
import type { Statement } from "./statements";

/** How much of a statement a message shows, in characters. */
const shown = 200;

/**
 * The fault of a statement that MySQL did not carry out.
 *
 * @param which for example `statement 2 of 3`
 * @param file what the message calls the file
 * @param then what has become of the rest, and what to do
 */
export function failed(
  { text, line }: Statement,
  which: string,
  file: string,
  error: unknown,
  then = "The statements before it are applied; mend the file and apply it again.",
): Error {
  const code = codeOf(error);
  const reason = error instanceof Error ? error.message : String(error);
  // MySQL counts lines from the beginning of the statement it was sent.
  const within = /\bat line (\d+)$/.exec(reason)?.[1];
  const faulty = within ? line + Number(within) - 1 : line;
  const whole = text.replaceAll(/\s+/g, " ");
  const beginning = whole.length > shown ? `${whole.slice(0, shown)}…` : whole;
  return schemaError(
    `Line ${faulty} of ${file} failed (${which}, "${beginning}", beginning on line ${line}): ${code} ${reason}. ${then}`,
    { code, line: faulty, cause: error },
  );
}
