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

/** What anybody may call: an app client, or a person's access token, is what these ask for. */
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

/** What AWS authorizes by IAM: these must be signed. */
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
 * @param signed whether the call carried a signature. Whose it is, and that it is right, is not checked on this machine.
 * @throws AwsError with Cognito's code and text; UnknownOperationException for what is not simulated.
 */
export async function perform(state: CognitoState, name: string, input: Input, signed: boolean): Promise<object> {
  if (Object.hasOwn(open, name)) return open[name]!(state, input);
  if (!Object.hasOwn(administrative, name)) {
    const known = [...Object.keys(open), ...Object.keys(administrative)].join(", ");
    throw refusal("UnknownOperationException", `This machine does not simulate ${name || "that"}; it has ${known}.`);
  }
  if (!signed) throw refusal("MissingAuthenticationTokenException", "Missing Authentication Token");
  return administrative[name]!(state, input, findPool(state, text(input, "UserPoolId")));
}
