import { clientOf, setPassword } from "../authenticate";
import { checkCode, codeMismatch, deliveryDetails, sendCode } from "../codes";
import { invalidParameter, notAuthorized, unknownToClient } from "../errors";
import { type Input, text, textMap } from "../input";
import { checkPassword, passwordMatches } from "../passwords";
import type { CognitoState } from "../state";
import { runTrigger } from "../triggers";
import { signedIn } from "./self";

/** @see https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ForgotPassword.html */
export async function forgotPassword(state: CognitoState, input: Input): Promise<object> {
  const username = text(input, "Username");
  const { pool, settings } = clientOf(state, input, username);
  if (!pool.settings.selfRecovery) throw notAuthorized("Contact administrator to reset password.");
  const user = pool.users.find(username);
  const reachable = user?.enabled && user.attributes.email_verified === "true";
  if (!reachable && settings.hidesUserExistence) return deliveryDetails(username);
  if (!user) throw unknownToClient();
  if (!reachable) {
    const message = "Cannot reset password for the user as there is no registered/verified email or phone_number";
    throw invalidParameter(message);
  }
  if (user.status !== "CONFIRMED") throw notAuthorized("User password cannot be reset in the current state.");
  return sendCode(state, pool, user, "passwordReset");
}

/**
 * Sets the new password; then, as Cognito does, calls the post-confirmation function once more.
 * @see https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ConfirmForgotPassword.html
 */
export async function confirmForgotPassword(state: CognitoState, input: Input): Promise<object> {
  const username = text(input, "Username");
  const client = clientOf(state, input, username);
  const { pool, settings } = client;
  const [code, password] = [text(input, "ConfirmationCode"), text(input, "Password")];
  checkPassword(password, pool.settings.passwords);
  const user = pool.users.find(username);
  if (!user) throw settings.hidesUserExistence ? codeMismatch() : unknownToClient();
  checkCode(state, pool, user, "passwordReset", code);
  // The code is removed before the first await, so that it can be used only once.
  const withoutCode = { ...user, code: undefined };
  pool.users.save(withoutCode);
  const changed = await setPassword(state, client, withoutCode, password, { status: "CONFIRMED" });
  const clientMetadata = textMap(input, "ClientMetadata");
  const metadata = Object.keys(clientMetadata).length > 0 ? { clientMetadata } : {};
  await runTrigger(state, pool, "PostConfirmation_ConfirmForgotPassword", changed, client.id, metadata);
  return {};
}

/** @see https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ChangePassword.html */
export async function changePassword(state: CognitoState, input: Input): Promise<object> {
  const { client, user } = signedIn(state, input);
  const proposed = text(input, "ProposedPassword");
  if (!(await passwordMatches(text(input, "PreviousPassword"), user.passwordHash))) {
    throw notAuthorized("Incorrect username or password.");
  }
  checkPassword(proposed, client.pool.settings.passwords);
  await setPassword(state, client, user, proposed, {});
  return {};
}
