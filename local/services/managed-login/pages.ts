import { describePolicy } from "../cognito/passwords";
import type { Authorization } from "./authorization";
import type { BrowserSession, Pending, Refusal } from "./browserSessions";
import { type Html, html, page } from "./html";
import { attributeLabel, requiredAttributes, usernameLabel } from "./labels";

/** The content of every page of a sign-in. */
export interface View {
  readonly authorization: Authorization;
  readonly session: BrowserSession;
  /** Why the page's form was refused just now. */
  readonly refusal?: Refusal;
  readonly notice?: string;
  /** The person who confirms an account or chooses a new password. */
  readonly pending?: Pending;
  /** Where this machine lists the mails that were sent. */
  readonly mailboxUrl: string;
}

/** Asks for user name and password. */
export function loginPage(view: View): Html {
  const { client, query } = view.authorization;
  const { settings } = client.pool;
  const password = { name: "password", label: "Password", type: "password", autocomplete: "current-password" };
  // After the first button, because Enter presses the first one.
  const forgotten = html`<button class="link" name="forgot" value="yes">Forgot your password?</button>`;
  return formPage(
    view,
    "Sign in",
    html`<p class="quiet">Sign in to your account.</p>`,
    html`${form(view, "/login", [usernameField(view), password], "Sign in", settings.selfRecovery && forgotten)}
    ${!settings.adminCreateOnly && html`<p class="foot">New user? <a href="/signup?${query}">Create an account</a></p>`}`,
  );
}

/** Asks for a user name, the attributes that the pool requires, and a password. */
export function signUpPage(view: View): Html {
  const { client, query } = view.authorization;
  const attributes = requiredAttributes(client.pool.settings).map((name) => ({
    name: `attribute.${name}`,
    label: attributeLabel(name),
  }));
  return formPage(
    view,
    "Create an account",
    html`<p class="quiet">A confirmation code will be sent to your email address.</p>`,
    html`${form(view, "/signup", [usernameField(view), ...attributes, ...newPasswordFields(view)], "Sign up")}
    <p class="foot">Have an account already? <a href="/login?${query}">Sign in</a></p>`,
  );
}

/** Asks a new user for the code from the mail. */
export function confirmPage(view: View): Html {
  const { username, codeSent } = view.pending!;
  const person = html`<strong>${username}</strong>`;
  return formPage(
    view,
    "Confirm your account",
    codeSent
      ? html`<p class="quiet">We have sent a code by email to ${person}. Enter it to confirm your account.</p>`
      : html`<p class="quiet">Enter the code that was sent to ${person} to confirm your account, or ask for a new one.</p>`,
    html`${form(view, "/confirm", [codeField], "Confirm account")}
      ${secondForm(view, "/resendcode", "Send a new code")}
      ${mailbox(view)}
      ${backToSignIn(view)}`,
  );
}

/** Asks whose password is to be reset. */
export function forgotPasswordPage(view: View): Html {
  return formPage(
    view,
    "Forgot your password?",
    html`<p class="quiet">Enter your ${usernameLabel(view.authorization.client.pool.settings)}, and we will send you a code to reset your password.</p>`,
    html`${form(view, "/forgotPassword", [usernameField(view)], "Reset my password")}
      ${backToSignIn(view)}`,
  );
}

/** Asks for the code that resets a password, and for the new one. */
export function confirmForgotPasswordPage(view: View): Html {
  return formPage(
    view,
    "Reset your password",
    html`<p class="quiet">If there is an account for <strong>${view.pending!.username}</strong>, a code is on its way to its email address.</p>`,
    html`${form(view, "/confirmForgotPassword", [codeField, ...newPasswordFields(view)], "Change password")}
      ${secondForm(view, "/resendResetCode", "Send a new code")}
      ${mailbox(view)}
      ${backToSignIn(view)}`,
  );
}

/** Asks a person with a temporary password for a new one. */
export function newPasswordPage(view: View): Html {
  return formPage(
    view,
    "Choose a new password",
    html`<p class="quiet">Your temporary password is only for this sign-in. Choose a new one.</p>`,
    html`${form(view, "/newPassword", newPasswordFields(view), "Set password")}
      ${backToSignIn(view)}`,
  );
}

function formPage(view: View, title: string, intro: Html, content: Html): Html {
  const { refusal, notice } = view;
  // Each text has its own element, so that its field can refer to it as the description.
  const issues = refusal?.issues.map(({ text, field }, i) => [
    i > 0 && " ",
    field === undefined ? text : html`<span id="${field}-error">${text}</span>`,
  ]);
  return page(
    refusal ? `Error: ${title}` : title,
    html`<h1>${title}</h1>
      ${intro}
      ${notice && html`<p class="notice" role="status">${notice}</p>`}
      ${issues && html`<p class="alert" role="alert">${issues}</p>`}
      ${content}`,
  );
}

function form(view: View, action: string, fields: readonly Field[], submit: string, more: Html | false = false): Html {
  const shown = fields.map((field) => ({ ...field, value: view.refusal?.values[field.name] ?? field.value }));
  const wrong = view.refusal?.issues.map(({ field }) => field) ?? [];
  const first = shown.find(({ name, value = "" }) => wrong.includes(name) || value === "") ?? shown[0];
  return html`<form method="post" action="${action}?${view.authorization.query}" novalidate>
      ${csrf(view)}
      ${shown.map((field) => fieldHtml(field, wrong.includes(field.name), field === first))}
      <button>${submit}</button>
      ${more}
    </form>`;
}

/** A form that is only a button, below another one. */
function secondForm(view: View, action: string, submit: string): Html {
  return html`<form method="post" action="${action}?${view.authorization.query}">
      ${csrf(view)}
      <button class="second">${submit}</button>
    </form>`;
}

function csrf({ session }: View): Html {
  return html`<input type="hidden" name="_csrf" value="${session.csrf}">`;
}

function backToSignIn({ authorization }: View): Html {
  return html`<p class="foot"><a href="/login?${authorization.query}">Back to sign in</a></p>`;
}

/** Links to the mailbox, because this machine sends no mail. Cognito's own pages have no such line. */
function mailbox({ mailboxUrl }: View): Html {
  return html`<p class="foot hint">Mails stay on this machine.
    <a href="${mailboxUrl}" target="_blank" rel="noopener">Open the mailbox</a> (in a new tab) to read the code.</p>`;
}

interface Field {
  readonly name: string;
  readonly label: string;
  readonly type?: string;
  readonly autocomplete?: string;
  readonly inputmode?: string;
  readonly value?: string;
  readonly hint?: string;
}

function usernameField({ authorization, session }: View): Field {
  const label = usernameLabel(authorization.client.pool.settings);
  return {
    name: "username",
    label: label.charAt(0).toUpperCase() + label.slice(1),
    type: label === "email address" ? "email" : "text",
    autocomplete: "username",
    value: session.username ?? authorization.loginHint,
  };
}

const codeField: Field = {
  name: "code",
  label: "Confirmation code",
  autocomplete: "one-time-code",
  inputmode: "numeric",
  hint: "Six digits",
};

function newPasswordFields({ authorization }: View): Field[] {
  const hint = `${describePolicy(authorization.client.pool.settings.passwords).join(", ")}.`;
  const secret = { type: "password", autocomplete: "new-password" };
  return [
    { name: "password", label: "Password", hint, ...secret },
    { name: "repeat", label: "Confirm password", ...secret },
  ];
}

function fieldHtml(field: Field, wrong: boolean, first: boolean): Html {
  const { name, label, type = "text", autocomplete = "off", inputmode, value = "", hint } = field;
  const described = [wrong && `${name}-error`, hint && `${name}-hint`].filter(Boolean).join(" ");
  return html`<div class="field">
      <label for="${name}">${label}</label>
      <input id="${name}" name="${name}" type="${type}" autocomplete="${autocomplete}" value="${value}" required
        ${inputmode && html`inputmode="${inputmode}"`} ${wrong && html`aria-invalid="true"`}
        ${described && html`aria-describedby="${described}"`} autocapitalize="none" spellcheck="false"
        ${first && html`autofocus`}>
      ${hint && html`<p class="hint" id="${name}-hint">${hint}</p>`}
    </div>`;
}
