import { AwsError } from "../aws/awsError";

/** An error with Cognito's code and text; its HTTP status is always 400. */
export function refusal(code: string, message: string): AwsError {
  return new AwsError(code, 400, message);
}

export const invalidParameter = (message: string) => refusal("InvalidParameterException", message);
export const notAuthorized = (message: string) => refusal("NotAuthorizedException", message);
export const userNotFound = (message = "User does not exist.") => refusal("UserNotFoundException", message);
export const unknownToClient = () => userNotFound("Username/client id combination not found.");
export const limitExceeded = () =>
  refusal("LimitExceededException", "Attempt limit exceeded, please try after some time.");
