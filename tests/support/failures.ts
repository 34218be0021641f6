/** Helpers for tests that expect an error. */
import { expect } from "vitest";
import { CommandError } from "../../cli/commandError";
import { LoggedError } from "../../functions/shared/loggedError";

/** The error that the promise is rejected with; fails the test if the promise is fulfilled. */
export async function rejectionOf(promise: Promise<unknown>): Promise<any> {
  return promise.then(
    (value) => expect.fail(`should have failed, but gave ${JSON.stringify(value)}`),
    (error) => error,
  );
}

/** The message with which a start is refused; fails the test if it is not refused, or not with a `CommandError`. */
export async function refusal(starting: Promise<unknown>): Promise<string> {
  const error = await rejectionOf(starting);
  expect(error).toBeInstanceOf(CommandError);
  return error.message;
}

type ErrorClass = new (...args: unknown[]) => LoggedError;

/**
 * One error of each class in a function's errors, without the base classes.
 * @param argument the first argument of each constructor: a cause, a list of names, or another value that fits
 */
export function errorsOf(errors: object, argument: unknown = ["x"]): LoggedError[] {
  const types = (Object.values(errors) as ErrorClass[]).filter(({ prototype }) => prototype instanceof LoggedError);
  return types
    .filter((type) => !types.some(({ prototype }) => prototype instanceof type))
    .map((type) => new type(argument, "x"));
}
