import { AwsError } from "../aws/awsError";
import { refusal } from "./errors";
import type { Pool } from "./pools";
import type { CognitoState, TriggerEvent } from "./state";
import type { User } from "./users";

export type TriggerSource =
  | "PostConfirmation_ConfirmSignUp"
  | "PostConfirmation_ConfirmForgotPassword"
  | "PostAuthentication_Authentication";

/** Cognito's client ID in the event of an administrator's call, which has no app client. */
export const noClient = "CLIENT_ID_NOT_APPLICABLE";

/**
 * Calls the pool's function for this source; does nothing where the pool has none.
 * @param more further fields of the event's `request`
 * @throws UserLambdaValidationException with the function's message, UnexpectedLambdaException if Lambda refused or
 *   ended the call, or InvalidLambdaResponseException if the result is not an event.
 * @see https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-identity-pools-working-with-aws-lambda-triggers.html
 */
export async function runTrigger(
  state: CognitoState,
  pool: Pool,
  triggerSource: TriggerSource,
  user: User,
  clientId: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const confirms = triggerSource !== "PostAuthentication_Authentication";
  const { postConfirmation, postAuthentication } = pool.settings.triggers;
  const functionArn = confirms ? postConfirmation : postAuthentication;
  if (functionArn === undefined) return;
  const trigger = confirms ? "PostConfirmation" : "PostAuthentication";
  const event: TriggerEvent = {
    version: "1",
    region: state.region,
    userPoolId: pool.id,
    userName: user.username,
    callerContext: { awsSdkVersion: "aws-sdk-unknown-unknown", clientId },
    triggerSource,
    request: { userAttributes: { ...user.attributes, "cognito:user_status": user.status }, ...more },
    response: {},
  };
  const answer = await state.invokeTrigger(functionArn, event, pool.arn).catch((error: unknown) => {
    if (error instanceof AwsError) {
      throw refusal("UnexpectedLambdaException", `${trigger} invocation failed due to error ${error.code}.`);
    }
    const message = error instanceof Error ? error.message : String(error);
    throw refusal("UserLambdaValidationException", `${trigger} failed with error ${message}.`);
  });
  if (typeof answer !== "object" || answer === null || Array.isArray(answer)) {
    throw refusal("InvalidLambdaResponseException", "Unrecognizable lambda output");
  }
}
