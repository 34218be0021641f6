import type { AwsError } from "../aws/awsError";
import type { PoolSettings } from "../cognito/settings";
import { attributeLabel, usernameLabel } from "./labels";

/** One mistake in a form, described for the person. */
export interface FormIssue {
  readonly text: string;
  /** The form's field with the mistake. @default the form as a whole */
  readonly field?: string;
}

const noEmail: FormIssue = { field: "username", text: "Enter an email address, for example name@example.com." };
const confirmedAlready: FormIssue = { text: "This account is confirmed already. Go back to sign in." };
const tookTooLong: FormIssue = { text: "This took too long. Go back and sign in with your temporary password again." };
const voidCode = "is no longer valid. Press “Send a new code” to get another.";

/** Cognito's texts for callers of its API → texts for the person at a page. Other texts are shown unchanged. */
const sentences: Readonly<Record<string, FormIssue>> = {
  "Username should be an email.": noEmail,
  "Invalid email address format.": noEmail,
  "User cannot be confirmed. Current status is CONFIRMED": confirmedAlready,
  "User is already confirmed.": confirmedAlready,
  "User is disabled.": { text: "This account is disabled. Ask an administrator to enable it." },
  "Password attempts exceeded": {
    text: "There were too many wrong passwords in a row. Wait a moment, then try again; the wait grows up to 15 minutes.",
  },
  "Invalid session for the user.": tookTooLong,
  "Invalid session for the user, session is expired.": tookTooLong,
};

const passwordSentences: Readonly<Record<string, string>> = {
  "Password must not be longer than 256 characters": "Choose a password of at most 256 characters.",
  "Password must have uppercase characters": "Add an upper-case letter to the password.",
  "Password must have lowercase characters": "Add a lower-case letter to the password.",
  "Password must have numeric characters": "Add a number to the password.",
  "Password must have symbol characters": "Add a symbol to the password, for example a hyphen.",
  "Password must not have leading or trailing spaces": "Remove the spaces before and after the password.",
};

/**
 * Why Cognito's API refused a form, described for the person.
 * @param form the submitted form
 */
export function issueOf({ code, message }: AwsError, settings: PoolSettings, form: URLSearchParams): FormIssue {
  const known = sentences[message];
  if (known) return known;
  if (code === "UsernameExistsException") {
    const text = `There is an account with this ${usernameLabel(settings)} already. Sign in, or enter another one.`;
    return { field: "username", text };
  }
  if (code === "InvalidPasswordException") {
    const rule = message.replace("Password did not conform with policy: ", "");
    const tooShort = `Choose a longer password: at least ${settings.passwords.minimumLength} characters.`;
    const text = rule === "Password not long enough" ? tooShort : passwordSentences[rule];
    return { field: "password", text: text ?? message };
  }
  if (code === "CodeMismatchException") return { field: "code", text: message };
  if (code === "ExpiredCodeException") return { field: "code", text: `This code ${voidCode}` };
  if (code === "LimitExceededException") {
    // Cognito has one text for two limits: wrong attempts at one code, and codes within an hour. Only the second one
    // ends after some time.
    if (form.has("code")) return { field: "code", text: `After too many wrong attempts, the code ${voidCode}` };
    return { text: "Too many codes were sent within an hour. Use the newest one, or wait before you ask again." };
  }
  const [, attribute, rule] = /^Attributes did not conform to the schema: (\S+): (.+)$/.exec(message) ?? [];
  if (attribute !== undefined) return attributeIssue(attribute, rule!);
  const [, field, most] = /Value at '(\w+)' .*less than or equal to (\d+)$/.exec(message) ?? [];
  return field === undefined ? { text: message } : { field, text: `Enter at most ${most} characters.` };
}

/** @param rule for example `String must not be longer than 100 characters` */
function attributeIssue(attribute: string, rule: string): FormIssue {
  const named = attribute === "email" ? "email address" : attributeLabel(attribute);
  const field = attribute === "email" ? "username" : `attribute.${attribute}`;
  const [, bound, count] = /^String must (not be longer than|be at least) (\d+) characters$/.exec(rule) ?? [];
  if (bound === undefined) return { field, text: `Check the ${named}: ${rule}` };
  return { field, text: `Enter ${bound === "be at least" ? "at least" : "at most"} ${count} characters as ${named}.` };
}
