import { afterSignIn, checkSignIn, secretHashOf } from "../cognito/authenticate";
import type { Input } from "../cognito/input";
import { perform } from "../cognito/operations";
import { challengedUser, challengeSession, replaceTemporaryPassword } from "../cognito/operations/signIn";
import type { CognitoState } from "../cognito/state";
import type { User } from "../cognito/users";
import { type Authorization, withParameters } from "./authorization";
import type { AuthorizationCodes } from "./authorizationCodes";
import type { BrowserSession, BrowserSessions, Pending } from "./browserSessions";
import { FormError, faultsOf, isRefusal, Redirect } from "./failures";
import type { Html } from "./html";
import { askedAttributes, attributeLabel, usernameLabel } from "./labels";
import * as pages from "./pages";
import type { SubmittedForm } from "./submittedForm";

/** What the pages work with. */
export interface LoginContext {
  readonly cognito: CognitoState;
  readonly visits: BrowserSessions;
  readonly grants: AuthorizationCodes;
  readonly answers: SubmittedForm;
  /** Where this machine lists the mails that were sent. */
  readonly mailboxUrl: string;
}

/** A browser at one page of one authorization request. */
export interface Step {
  readonly context: LoginContext;
  readonly authorization: Authorization;
  /** Replaced by a new one, with a new cookie, at sign-in. */
  visit: BrowserSession;
}

/** One page: how it looks, and what its form does. A form that is accepted ends in a Redirect. */
export interface Interaction {
  show(view: pages.View): Html;
  /** The page with the form. @default the path that the form is sent to */
  readonly page?: string;
  /** The page has no meaning before another one: the person it is about is not known. */
  readonly needsPending?: boolean;
  submit(step: Step, form: URLSearchParams): Promise<never>;
}

export const interactions: Readonly<Record<string, Interaction>> = {
  "/login": { show: pages.loginPage, submit: login },
  "/signup": { show: pages.signUpPage, submit: signUp },
  "/confirm": { show: pages.confirmPage, submit: confirm, needsPending: true },
  "/resendcode": { show: pages.confirmPage, page: "/confirm", submit: resend, needsPending: true },
  "/forgotPassword": { show: pages.forgotPasswordPage, submit: forgotPassword },
  "/confirmForgotPassword": {
    show: pages.confirmForgotPasswordPage,
    submit: confirmForgotPassword,
    needsPending: true,
  },
  "/resendResetCode": {
    show: pages.confirmForgotPasswordPage,
    page: "/confirmForgotPassword",
    submit: resendResetCode,
    needsPending: true,
  },
  "/newPassword": { show: pages.newPasswordPage, submit: newPassword, needsPending: true },
};

async function login(step: Step, form: URLSearchParams): Promise<never> {
  const { context, authorization } = step;
  // A link could not take along what was typed already.
  if (form.has("forgot")) throw goTo(step, "/forgotPassword");
  const { username, password } = entered(form, {
    username: enterUsername(step),
    password: "Enter your password.",
  });
  const user = await checkSignIn(context.cognito, authorization.client, username, password).catch((error: unknown) => {
    if (!isRefusal(error, "UserNotConfirmedException")) throw error;
    remember(step, { username, knowsPassword: true });
    throw goTo(step, "/confirm");
  });
  if (user.status === "FORCE_CHANGE_PASSWORD") {
    const challenge = challengeSession(context.cognito, authorization.client, user);
    remember(step, { username, knowsPassword: true, challenge });
    throw goTo(step, "/newPassword");
  }
  return signIn(step, user);
}

async function signUp(step: Step, form: URLSearchParams): Promise<never> {
  const asked = askedAttributes(step.authorization.client.pool.settings);
  const { username, password } = entered(form, {
    username: enterUsername(step),
    ...Object.fromEntries(asked.map((name) => [`attribute.${name}`, `Enter your ${attributeLabel(name)}.`])),
    ...chosenPassword,
  });
  checkRepeat(form);
  const UserAttributes = [...form]
    .filter(([name]) => name.startsWith("attribute."))
    .map(([name, given]) => ({ Name: name.slice("attribute.".length), Value: given }));
  await asClient(step, "SignUp", username, { Password: password, UserAttributes });
  remember(step, { username, knowsPassword: true, codeSent: true });
  throw goTo(step, "/confirm");
}

async function confirm(step: Step, form: URLSearchParams): Promise<never> {
  const { username, knowsPassword } = pendingOf(step)!;
  const { pool } = step.authorization.client;
  const { code } = entered(form, { code: "Enter the code." });
  await asClient(step, "ConfirmSignUp", username, { ConfirmationCode: code.trim() });
  const user = pool.users.find(username);
  step.visit.pending = undefined;
  if (user?.enabled && knowsPassword) {
    await signIn(step, user).catch((error: unknown) => {
      const faults = faultsOf(error, pool.settings, form);
      if (!faults) throw error;
      step.visit.refusal = { path: "/login", faults, values: {} };
      throw goTo(step, "/login");
    });
  }
  throw goTo(step, "/login", "Your account is confirmed. You can sign in now.");
}

async function resend(step: Step): Promise<never> {
  const pending = pendingOf(step)!;
  await asClient(step, "ResendConfirmationCode", pending.username, {});
  remember(step, { ...pending, codeSent: true });
  throw goTo(step, "/confirm", "A new code is on its way.");
}

async function forgotPassword(step: Step, form: URLSearchParams): Promise<never> {
  const { username } = entered(form, { username: enterUsername(step) });
  await asClient(step, "ForgotPassword", username, {});
  remember(step, { username, knowsPassword: false });
  throw goTo(step, "/confirmForgotPassword");
}

async function resendResetCode(step: Step): Promise<never> {
  await asClient(step, "ForgotPassword", pendingOf(step)!.username, {});
  // Nobody's address is told the same.
  throw goTo(step, "/confirmForgotPassword", "If there is an account, a new code is on its way.");
}

async function confirmForgotPassword(step: Step, form: URLSearchParams): Promise<never> {
  const { username } = pendingOf(step)!;
  const { code, password } = entered(form, { code: "Enter the code.", ...chosenPassword });
  checkRepeat(form);
  const input = { ConfirmationCode: code.trim(), Password: password };
  await asClient(step, "ConfirmForgotPassword", username, input);
  step.visit.pending = undefined;
  throw goTo(step, "/login", "Your password is changed. You can sign in now.");
}

async function newPassword(step: Step, form: URLSearchParams): Promise<never> {
  const { cognito } = step.context;
  const { client } = step.authorization;
  const asked = challengedUser(cognito, client, pendingOf(step)?.challenge ?? "");
  const { password } = entered(form, chosenPassword);
  checkRepeat(form);
  const user = await replaceTemporaryPassword(cognito, client, asked, password);
  step.visit.pending = undefined;
  return signIn(step, user);
}

/** A right password was given: the trigger may still refuse; then the browser goes back to the app with a code. */
async function signIn(step: Step, user: User): Promise<never> {
  const { cognito, visits } = step.context;
  const { client } = step.authorization;
  await afterSignIn(cognito, client, user);
  // A new cookie: one that somebody else may have planted before must not become a signed-in one.
  visits.end(step.visit);
  const authTime = Math.floor(cognito.now() / 1000);
  step.visit = visits.begin({ signedIn: { pool: client.pool, username: user.username, authTime } });
  throw backToApp(step.context, step.authorization, user.username, authTime);
}

/** To the registered redirect URL, with a new code. */
export function backToApp(
  context: LoginContext,
  authorization: Authorization,
  username: string,
  authTime: number,
): Redirect {
  const code = context.grants.issue(authorization, username, authTime);
  return new Redirect(withParameters(authorization.redirectUri, { code, state: authorization.state }));
}

/** The person that an earlier page of this pool was about. */
export function pendingOf({ visit, authorization }: Step): Pending | undefined {
  return visit.pending?.pool === authorization.client.pool ? visit.pending : undefined;
}

/** Calls an operation of the API as the client does: with its secret's hash, where it has a secret. */
function asClient({ context, authorization }: Step, operation: string, Username: string, more: Input): Promise<object> {
  const { client } = authorization;
  const identification = { ClientId: client.id, Username, SecretHash: secretHashOf(client, Username) };
  return perform(context.cognito, operation, { ...identification, ...more }, false);
}

function remember(step: Step, pending: Omit<Pending, "pool">): void {
  step.visit.pending = { pool: step.authorization.client.pool, ...pending };
}

function goTo(step: Step, path: string, notice?: string): Redirect {
  step.visit.notice = notice;
  return new Redirect(`${path}?${step.authorization.query}`);
}

function enterUsername({ authorization }: Step): string {
  return `Enter your ${usernameLabel(authorization.client.pool.settings)}.`;
}

const chosenPassword = { password: "Enter a password.", repeat: "Enter the password once more." };

/** @throws FormError */
function checkRepeat(form: URLSearchParams): void {
  if (form.get("repeat") === form.get("password")) return;
  throw new FormError([{ field: "repeat", text: "The two passwords are not the same." }]);
}

/**
 * @param asked the fields that must be filled in, each with what to say where it is not
 * @throws FormError with all that are empty
 */
function entered<Name extends string>(form: URLSearchParams, asked: Record<Name, string>): Record<Name, string> {
  const names = Object.keys(asked) as Name[];
  const empty = names.filter((name) => (form.get(name) ?? "") === "");
  if (empty.length > 0) throw new FormError(empty.map((field) => ({ field, text: asked[field] })));
  return Object.fromEntries(names.map((name) => [name, form.get(name)!])) as Record<Name, string>;
}
