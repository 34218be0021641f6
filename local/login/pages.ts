import { describePolicy } from "../cognito/passwords";
import type { Authorization } from "./authorization";
import { type Html, html } from "./html";
import type { Visit } from "./visits";

/** What every page of a sign-in shows. */
export interface View {
  readonly authorization: Authorization;
  readonly visit: Visit;
  /** What went wrong, in words. */
  readonly error?: string;
  readonly notice?: string;
  /** What the person wrote as user name. */
  readonly username?: string;
}

/** A page for anything that is not a sign-in. */
export function errorPage(title: string, text: string): Html {
  return page(title, html`<h1>${title}</h1><p class="alert" role="alert">${text}</p>`);
}

export function loginPage(view: View): Html {
  const { client, query } = view.authorization;
  const { pool } = client;
  return formPage(
    view,
    "Sign in",
    html`<p class="quiet">Sign in to your account.</p>`,
    html`${form(
      view,
      "/login",
      html`${usernameField(view)}
        ${field({ name: "password", label: "Password", type: "password", autocomplete: "current-password" })}
        ${pool.settings.selfRecovery && html`<p><a href="/forgotPassword?${query}">Forgot your password?</a></p>`}`,
      "Sign in",
    )}
    ${!pool.settings.adminCreateOnly && html`<p class="foot">New user? <a href="/signup?${query}">Create an account</a></p>`}`,
  );
}

export function signUpPage(view: View): Html {
  const { client, query } = view.authorization;
  const { schema, passwords } = client.pool.settings;
  const asked = Object.keys(schema).filter((name) => schema[name]!.required && !["email", "sub"].includes(name));
  return formPage(
    view,
    "Create an account",
    html`<p class="quiet">A confirmation code will be sent to your email address.</p>`,
    html`${form(
      view,
      "/signup",
      html`${usernameField(view)}
        ${asked.map((name) => field({ name: `attribute.${name}`, label: name.replace(/^custom:/, "").replaceAll("_", " ") }))}
        ${newPasswordFields(describePolicy(passwords))}`,
      "Sign up",
    )}
    <p class="foot">Have an account already? <a href="/login?${query}">Sign in</a></p>`,
  );
}

export function confirmPage(view: View): Html {
  return formPage(
    view,
    "Confirm your account",
    html`<p class="quiet">We have sent a code by email to <strong>${view.username}</strong>. Enter it to confirm your account.</p>`,
    html`${form(view, "/confirm", codeField, "Confirm account")}
      ${form(view, "/resendcode", html``, "Send a new code", "second")}
      <p class="foot"><a href="/login?${view.authorization.query}">Back to sign in</a></p>`,
  );
}

export function forgotPasswordPage(view: View): Html {
  return formPage(
    view,
    "Forgot your password?",
    html`<p class="quiet">Enter your email address, and we will send you a code to reset your password.</p>`,
    html`${form(view, "/forgotPassword", usernameField(view), "Reset my password")}
      <p class="foot"><a href="/login?${view.authorization.query}">Back to sign in</a></p>`,
  );
}

export function confirmForgotPasswordPage(view: View): Html {
  const rules = describePolicy(view.authorization.client.pool.settings.passwords);
  return formPage(
    view,
    "Reset your password",
    html`<p class="quiet">If there is an account for <strong>${view.username}</strong>, a code is on its way to its email address.</p>`,
    html`${form(view, "/confirmForgotPassword", html`${codeField}${newPasswordFields(rules)}`, "Change password")}
      <p class="foot"><a href="/forgotPassword?${view.authorization.query}">Send a new code</a></p>`,
  );
}

export function newPasswordPage(view: View): Html {
  const rules = describePolicy(view.authorization.client.pool.settings.passwords);
  return formPage(
    view,
    "Choose a new password",
    html`<p class="quiet">Your temporary password is good for this once. Choose your own.</p>`,
    form(view, "/newPassword", newPasswordFields(rules), "Set password"),
  );
}

function formPage(view: View, title: string, intro: Html, content: Html): Html {
  return page(
    view.error ? `Error: ${title}` : title,
    html`<h1>${title}</h1>
      ${intro}
      ${view.notice && html`<p class="notice" role="status">${view.notice}</p>`}
      ${view.error && html`<p class="alert" role="alert" id="error">${view.error}</p>`}
      ${content}`,
  );
}

function form(view: View, action: string, fields: Html, submit: string, look = "first"): Html {
  return html`<form method="post" action="${action}?${view.authorization.query}" novalidate ${view.error && html`aria-describedby="error"`}>
      <input type="hidden" name="_csrf" value="${view.visit.csrf}">
      ${fields}
      <button class="${look}">${submit}</button>
    </form>`;
}

function usernameField(view: View): Html {
  const email = view.authorization.client.pool.settings.usernameAttributes.includes("email");
  return field({
    name: "username",
    label: email ? "Email address" : "Username",
    type: email ? "email" : "text",
    autocomplete: "username",
    value: view.username ?? view.authorization.loginHint,
  });
}

const codeField = field({
  name: "code",
  label: "Confirmation code",
  autocomplete: "one-time-code",
  inputmode: "numeric",
  hint: "Six digits",
});

function newPasswordFields(rules: readonly string[]): Html {
  return html`${field({
    name: "password",
    label: "Password",
    type: "password",
    autocomplete: "new-password",
    hint: `${rules.join(", ")}.`,
  })}${field({ name: "repeat", label: "Confirm password", type: "password", autocomplete: "new-password" })}`;
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

function field({ name, label, type = "text", autocomplete = "off", inputmode, value = "", hint }: Field): Html {
  return html`<div class="field">
      <label for="${name}">${label}</label>
      <input id="${name}" name="${name}" type="${type}" autocomplete="${autocomplete}" value="${value}" required
        ${inputmode && html`inputmode="${inputmode}"`} ${hint && html`aria-describedby="${name}-hint"`}
        autocapitalize="none" spellcheck="false">
      ${hint && html`<p class="hint" id="${name}-hint">${hint}</p>`}
    </div>`;
}

function page(title: string, content: Html): Html {
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${title}</title>
    <link rel="stylesheet" href="/style.css">
    <link rel="icon" href="data:,">
  </head>
  <body>
    <main>${content}</main>
  </body>
</html>
`;
}
