/** What tests expect to fail, and what it fails with. */
import { expect } from "vitest";
import { CommandError } from "../../cli/commandError";
import { LoggedError } from "../../functions/shared/loggedError";

/** The error that the promise ends with; fails where it ends well. */
export async function faultOf(promise: Promise<unknown>): Promise<any> {
  return promise.then(
    (value) => expect.fail(`should have failed, but gave ${JSON.stringify(value)}`),
    (error) => error,
  );
}

/** The sentence by which a start is refused; fails where it is not, or where the error is none for a person. */
export async function refusal(starting: Promise<unknown>): Promise<string> {
  const error = await faultOf(starting);
  expect(error).toBeInstanceOf(CommandError);
  return error.message;
}

type FaultType = new (...args: unknown[]) => LoggedError;

/**
 * One fault of each class in a function's errors; those that others extend are no faults of their own.
 * @param argument what each is made of: a cause, a list of names, whatever its constructor takes
 */
export function faultsOf(errors: object, argument: unknown = ["x"]): LoggedError[] {
  const types = (Object.values(errors) as FaultType[]).filter(({ prototype }) => prototype instanceof LoggedError);
  return types
    .filter((type) => !types.some(({ prototype }) => prototype instanceof type))
    .map((type) => new type(argument, "x"));
}
