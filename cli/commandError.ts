/** A command that cannot go on, told to the person in one sentence with what to do; printed without a stack. */
export class CommandError extends Error {
  override readonly name: string = "CommandError";
}
