import { AwsError } from "../aws/awsError";
import type { AwsAnswer, AwsCall } from "../aws/awsServer";
import type { RunnableFunction } from "./function";

/** An asynchronous event has 1 MB at most; a synchronous one 6 MB, a limit that the server itself enforces. */
const maxAsyncEvent = 1024 * 1024;

/** The registered functions. */
interface Functions {
  /**
   * The function by name or ARN, if the caller may invoke it.
   * @throws AwsError if it may not, or if there is no such function
   */
  authorized(nameOrArn: string, caller: { readonly accessKeyId: string }): RunnableFunction;
}

/**
 * Answers `POST /2015-03-31/functions/{name or ARN}/invocations`.
 * @throws AwsError with Lambda's code, status and text.
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
export async function answerInvoke(functions: Functions, call: AwsCall): Promise<AwsAnswer> {
  const match = /^\/2015-03-31\/functions\/([^/?]+)\/invocations(?:\?Qualifier=(?:\$|%24)LATEST)?$/.exec(call.url);
  if (call.method !== "POST" || !match) {
    const what = `${call.method} ${call.url.split("?")[0]}`;
    const message = `${what} is not simulated here; POST /2015-03-31/functions/{name}/invocations is.`;
    throw new AwsError("UnknownOperationException", 404, message, { Type: "User" });
  }
  const runnable = functions.authorized(decoded(match[1]!), { accessKeyId: call.accessKeyId });
  const event = call.body.length === 0 ? "{}" : call.body.toString("utf8");
  requireJson(event);
  const executed = { "x-amz-executed-version": "$LATEST" };
  switch (call.headers["x-amz-invocation-type"] ?? "RequestResponse") {
    case "DryRun":
      return { status: 204, body: "" };
    case "Event": {
      if (call.body.length > maxAsyncEvent) {
        const message = `Request must be smaller than ${maxAsyncEvent} bytes for the InvokeFunction operation`;
        throw new AwsError("RequestTooLargeException", 413, message, { Type: "User" });
      }
      // No caller waits for the outcome: the function's log has a failure. Lambda's two retries are not simulated.
      runnable.invoke(event).catch((error: Error) => runnable.log.add(`Asynchronous invocation: ${error.message}`));
      return { status: 202, body: "" };
    }
    case "RequestResponse": {
      const { payload, failed } = await runnable.invoke(event);
      const headers = failed ? { ...executed, "x-amz-function-error": "Unhandled" } : executed;
      return { status: 200, headers, body: payload };
    }
    default:
      throw invalid("InvalidParameterValueException", "InvocationType must be RequestResponse, Event or DryRun.");
  }
}

function requireJson(event: string): void {
  try {
    JSON.parse(event);
  } catch {
    throw invalid("InvalidRequestContentException", "Could not parse request body into json.");
  }
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    throw invalid("InvalidParameterValueException", "The function's name is not properly encoded.");
  }
}

function invalid(code: string, message: string): AwsError {
  return new AwsError(code, 400, message, { Type: "User" });
}
