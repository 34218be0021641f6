import { AwsError } from "../aws/awsError";
import type { Lambda } from "./lambda";

/** The error of a trigger's function; the message is the function's own, which Cognito passes on to the person. */
export class FunctionFailed extends Error {
  override readonly name = "FunctionFailed";

  /** @param errorType for example `Error`, or `Sandbox.Timedout` if the function's own timeout expired. */
  constructor(
    errorMessage: string,
    readonly errorType: string,
  ) {
    super(errorMessage);
  }
}

/** Cognito's message if no answer comes in time. */
const noAnswer = "Socket timeout while invoking Lambda function";
const maxAttempts = 3;

export interface TriggerOptions {
  /** Milliseconds that Cognito waits for one try. @default 5000 */
  readonly timeout?: number;
}

/**
 * Calls a trigger as Cognito does: it waits 5 s for an answer, and makes up to three attempts in all if no answer comes
 * or if Lambda cannot take the call. An error that the function returns is final.
 * @param event is sent as JSON.
 * @param userPoolArn the pool on whose behalf Cognito calls; a `Permission` must allow it.
 * @returns the function's answer, parsed.
 * @throws FunctionFailed if the function failed (`UserLambdaValidationException` for the person), AwsError if it
 * could not be called or did not answer (`UnexpectedLambdaException`, with the error's code in its text).
 * @see https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html
 */
export async function invokeForCognito(
  lambda: Pick<Lambda, "invoke">,
  functionArn: string,
  event: unknown,
  userPoolArn: string,
  { timeout = 5_000 }: TriggerOptions = {},
): Promise<unknown> {
  const caller = { service: "cognito-idp.amazonaws.com", sourceArn: userPoolArn };
  const request = { function: functionArn, event: JSON.stringify(event), caller };
  for (let attempt = 1; ; attempt++) {
    try {
      const { payload, failed } = await withTimeout(timeout, lambda.invoke(request));
      const answer: unknown = JSON.parse(payload);
      if (!failed) return answer;
      const { errorMessage, errorType } = answer as { errorMessage?: unknown; errorType?: unknown };
      throw new FunctionFailed(String(errorMessage), String(errorType));
    } catch (error) {
      const retryable = error instanceof AwsError && (error.status >= 500 || error.status === 429);
      if (!retryable || attempt === maxAttempts) throw error;
    }
  }
}

/** The result, or an error after this time; the function continues to run, as on AWS. */
async function withTimeout<T>(milliseconds: number, result: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new AwsError(noAnswer, 504, noAnswer)), milliseconds);
  });
  try {
    return await Promise.race([result, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
