import { AwsError } from "../aws/awsError";
import { afterSignIn, checkSignIn, secretHashOf } from "../cognito/authenticate";
import type { Input } from "../cognito/input";
import { perform } from "../cognito/operations";
import { challengedUser, challengeSession, replaceTemporaryPassword } from "../cognito/operations/signIn";
import type { User } from "../cognito/users";
import { type Authorization, withParameters } from "./authorization";
import type { Pending } from "./browserSessions";
import { type LoginContext, pendingOf, type Visit } from "./context";
import { type FormIssue, issueOf } from "./formIssues";
import type { Html } from "./html";
import { attributeLabel, requiredAttributes, usernameLabel } from "./labels";
import * as pages from "./pages";
import { Redirect } from "./replies";

/** The result of a form: the browser goes on, or the page shows the mistakes. */
export type Outcome = Redirect | readonly FormIssue[];

/** One page: its content, and what its form does. */
export interface Interaction {
  show(view: pages.View): Html;
  /** The path of the page with the form. @default the path that receives the form */
  readonly page?: string;
  /** The page makes sense only after another one, which says who the person is. */
  readonly needsPending?: boolean;
  /** @throws AwsError if Cognito's API refuses the request */
  submit(visit: Visit, form: URLSearchParams): Promise<Outcome>;
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

async function login(visit: Visit, form: URLSearchParams): Promise<Outcome> {
  const { context, authorization } = visit;
  // This is a button of the form, because a link would lose the values that are typed already.
  if (form.has("forgot")) return goTo(visit, "/forgotPassword");
  const { values, issues } = entered(form, { username: enterUsername(visit), password: "Enter your password." });
  if (issues) return issues;
  const { username, password } = values;
  const user = await checkSignIn(context.cognito, authorization.client, username, password).catch((error: unknown) => {
    if (error instanceof AwsError && error.code === "UserNotConfirmedException") return undefined;
    throw error;
  });
  if (!user) {
    remember(visit, { username, knowsPassword: true });
    return goTo(visit, "/confirm");
  }
  if (user.status === "FORCE_CHANGE_PASSWORD") {
    const challenge = challengeSession(context.cognito, authorization.client, user);
    remember(visit, { username, knowsPassword: true, challenge });
    return goTo(visit, "/newPassword");
  }
  return signIn(visit, user);
}

async function signUp(visit: Visit, form: URLSearchParams): Promise<Outcome> {
  const attributes = requiredAttributes(visit.authorization.client.pool.settings);
  const { values, issues } = entered(form, {
    username: enterUsername(visit),
    ...Object.fromEntries(attributes.map((name) => [`attribute.${name}`, `Enter your ${attributeLabel(name)}.`])),
    ...chosenPassword,
  });
  if (issues) return issues;
  const { username, password } = values;
  const UserAttributes = [...form]
    .filter(([name]) => name.startsWith("attribute."))
    .map(([name, given]) => ({ Name: name.slice("attribute.".length), Value: given }));
  await asClient(visit, "SignUp", username, { Password: password, UserAttributes });
  remember(visit, { username, knowsPassword: true, codeSent: true });
  return goTo(visit, "/confirm");
}

async function confirm(visit: Visit, form: URLSearchParams): Promise<Outcome> {
  const { username, knowsPassword } = pendingOf(visit)!;
  const { pool } = visit.authorization.client;
  const { values, issues } = entered(form, { code: "Enter the code." });
  if (issues) return issues;
  await asClient(visit, "ConfirmSignUp", username, { ConfirmationCode: values.code.trim() });
  const user = pool.users.find(username);
  visit.session.pending = undefined;
  if (user?.enabled && knowsPassword) {
    return signIn(visit, user).catch((error: unknown) => {
      if (!isRefused(error)) throw error;
      visit.session.refusal = { path: "/login", issues: [issueOf(error, pool.settings, form)], values: {} };
      return goTo(visit, "/login");
    });
  }
  return goTo(visit, "/login", "Your account is confirmed. You can sign in now.");
}

async function resend(visit: Visit): Promise<Outcome> {
  const pending = pendingOf(visit)!;
  await asClient(visit, "ResendConfirmationCode", pending.username, {});
  remember(visit, { ...pending, codeSent: true });
  return goTo(visit, "/confirm", "A new code is on its way.");
}

async function forgotPassword(visit: Visit, form: URLSearchParams): Promise<Outcome> {
  const { values, issues } = entered(form, { username: enterUsername(visit) });
  if (issues) return issues;
  const { username } = values;
  await asClient(visit, "ForgotPassword", username, {});
  remember(visit, { username, knowsPassword: false });
  return goTo(visit, "/confirmForgotPassword");
}

async function resendResetCode(visit: Visit): Promise<Outcome> {
  await asClient(visit, "ForgotPassword", pendingOf(visit)!.username, {});
  // The text is the same for an address without an account, so that it does not reveal who has one.
  return goTo(visit, "/confirmForgotPassword", "If there is an account, a new code is on its way.");
}

async function confirmForgotPassword(visit: Visit, form: URLSearchParams): Promise<Outcome> {
  const { username } = pendingOf(visit)!;
  const { values, issues } = entered(form, { code: "Enter the code.", ...chosenPassword });
  if (issues) return issues;
  const input = { ConfirmationCode: values.code.trim(), Password: values.password };
  await asClient(visit, "ConfirmForgotPassword", username, input);
  visit.session.pending = undefined;
  return goTo(visit, "/login", "Your password is changed. You can sign in now.");
}

async function newPassword(visit: Visit, form: URLSearchParams): Promise<Outcome> {
  const { cognito } = visit.context;
  const { client } = visit.authorization;
  const challenged = challengedUser(cognito, client, pendingOf(visit)?.challenge ?? "");
  const { values, issues } = entered(form, chosenPassword);
  if (issues) return issues;
  const user = await replaceTemporaryPassword(cognito, client, challenged, values.password);
  visit.session.pending = undefined;
  return signIn(visit, user);
}

/**
 * Signs in a person whose password was right, and sends the browser back to the app with a code.
 * @throws AwsError if the trigger refuses the sign-in
 */
async function signIn(visit: Visit, user: User): Promise<Redirect> {
  const { cognito, sessions } = visit.context;
  const { client } = visit.authorization;
  await afterSignIn(cognito, client, user);
  // With a new cookie: somebody else may have set the old one in this browser, and could use it after the sign-in.
  sessions.end(visit.session);
  const authTime = Math.floor(cognito.now() / 1000);
  visit.session = sessions.begin({ signedIn: { pool: client.pool, username: user.username, authTime } });
  return backToApp(visit.context, visit.authorization, user.username, authTime);
}

/** To the registered redirect URL, with a new code. */
export function backToApp(
  context: LoginContext,
  authorization: Authorization,
  username: string,
  authTime: number,
): Redirect {
  const code = context.codes.issue(authorization, username, authTime);
  return new Redirect(withParameters(authorization.redirectUri, { code, state: authorization.state }));
}

/** Calls an operation of the API as the client does: with its secret's hash, where it has a secret. */
function asClient(
  { context, authorization }: Visit,
  operation: string,
  Username: string,
  more: Input,
): Promise<object> {
  const { client } = authorization;
  const identification = { ClientId: client.id, Username, SecretHash: secretHashOf(client, Username) };
  return perform(context.cognito, operation, { ...identification, ...more }, false);
}

function remember(visit: Visit, pending: Omit<Pending, "pool">): void {
  visit.session.pending = { pool: visit.authorization.client.pool, ...pending };
}

function goTo(visit: Visit, path: string, notice?: string): Redirect {
  visit.session.notice = notice;
  return new Redirect(`${path}?${visit.authorization.query}`);
}

function enterUsername({ authorization }: Visit): string {
  return `Enter your ${usernameLabel(authorization.client.pool.settings)}.`;
}

const chosenPassword = { password: "Enter a password.", repeat: "Enter the password once more." };

type Entered<Name extends string> =
  | { readonly values: Record<Name, string>; readonly issues?: undefined }
  | { readonly values?: undefined; readonly issues: readonly FormIssue[] };

/**
 * The values of a form's required fields.
 * @param required the fields, each with the text that is shown if it is empty
 * @returns instead the issues, if fields are empty or the repeated password is another one
 */
function entered<Name extends string>(form: URLSearchParams, required: Record<Name, string>): Entered<Name> {
  const names = Object.keys(required) as Name[];
  const empty = names.filter((name) => (form.get(name) ?? "") === "");
  if (empty.length > 0) return { issues: empty.map((field) => ({ field, text: required[field] })) };
  if ("repeat" in required && form.get("repeat") !== form.get("password")) {
    return { issues: [{ field: "repeat", text: "The two passwords are not the same." }] };
  }
  return { values: Object.fromEntries(names.map((name) => [name, form.get(name)!])) as Record<Name, string> };
}

/** Whether Cognito's API refused a request; any other error is a defect of this program. */
export function isRefused(error: unknown): error is AwsError {
  return error instanceof AwsError && error.status < 500;
}
