/** The command cannot go on. Its message is a sentence for the person that says what to do; printed without a stack. */
export class CommandError extends Error {
  override readonly name: string = "CommandError";
}
