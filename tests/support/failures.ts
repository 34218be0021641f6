/** What tests expect to fail, and what it fails with. */
import { expect } from "vitest";
import { StartError } from "../../local/host/part";

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
  expect(error).toBeInstanceOf(StartError);
  return error.message;
}
