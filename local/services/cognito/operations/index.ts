import { refusal } from "../errors";
import { type Input, text } from "../input";
import type { Pool } from "../pools";
import { type CognitoState, findPool } from "../state";
import * as administer from "./administer";
import { listUsers } from "./listUsers";
import * as password from "./password";
import * as self from "./self";
import * as signIn from "./signIn";
import * as signUp from "./signUp";

type Operation = (state: CognitoState, input: Input) => Promise<object>;
type AdminOperation = (state: CognitoState, input: Input, pool: Pool) => Promise<object>;

/** Operations that need no signature, but an app client's ID or a person's access token. */
const open: Readonly<Record<string, Operation>> = {
  SignUp: signUp.signUp,
  ConfirmSignUp: signUp.confirmSignUp,
  ResendConfirmationCode: signUp.resendConfirmationCode,
  InitiateAuth: signIn.initiateAuth,
  RespondToAuthChallenge: signIn.respondToAuthChallenge,
  ForgotPassword: password.forgotPassword,
  ConfirmForgotPassword: password.confirmForgotPassword,
  ChangePassword: password.changePassword,
  GetUser: self.getUser,
  DeleteUser: self.deleteUser,
  GlobalSignOut: self.globalSignOut,
  RevokeToken: self.revokeToken,
};

/** Operations that AWS authorizes by IAM: their requests must be signed. */
const administrative: Readonly<Record<string, AdminOperation>> = {
  AdminConfirmSignUp: signUp.adminConfirmSignUp,
  AdminInitiateAuth: signIn.adminInitiateAuth,
  AdminRespondToAuthChallenge: signIn.adminRespondToAuthChallenge,
  AdminCreateUser: administer.adminCreateUser,
  AdminGetUser: administer.adminGetUser,
  AdminDeleteUser: administer.adminDeleteUser,
  AdminSetUserPassword: administer.adminSetUserPassword,
  AdminDisableUser: administer.adminDisableUser,
  AdminEnableUser: administer.adminEnableUser,
  ListUsers: listUsers,
};

/**
 * Performs one operation of the Cognito user pools API.
 * @param signed whether the request has a signature; this machine does not verify it.
 * @throws AwsError with Cognito's code and text; UnknownOperationException for operations that are not simulated.
 */
export async function perform(state: CognitoState, name: string, input: Input, signed: boolean): Promise<object> {
  if (Object.hasOwn(open, name)) return open[name]!(state, input);
  if (!Object.hasOwn(administrative, name)) {
    const known = [...Object.keys(open), ...Object.keys(administrative)].join(", ");
    throw refusal(
      "UnknownOperationException",
      `This machine does not simulate ${name || "that"}; it simulates ${known}.`,
    );
  }
  if (!signed) throw refusal("MissingAuthenticationTokenException", "Missing Authentication Token");
  return administrative[name]!(state, input, findPool(state, text(input, "UserPoolId")));
}
