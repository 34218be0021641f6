/** What the pages show when a form is refused, and the links with which the person can go on. */
import { readFileSync } from "node:fs";
import { AdminCreateUserCommand } from "@aws-sdk/client-cognito-identity-provider";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { poolInputs } from "../cognito/support";
import { email, LocalLogin, password } from "./support";

let on: LocalLogin;
beforeEach(async () => {
  on = await LocalLogin.start();
});
afterEach(() => on.dispose());

const open = (path: string) => on.browser.open(on.request({}, path));
const signUp = (fields: Record<string, string> = {}) =>
  on.browser.submit("/signup", { username: email, password, repeat: password, ...fields });
/** The fields that are marked as wrong, each with the text that describes the mistake. */
const marked = ({ page } = on.browser) =>
  Object.fromEntries(
    [...page.matchAll(/<input id="([^"]+)"[^>]*aria-invalid="true"[^>]*aria-describedby="([^" ]+)/g)].map(
      ([, name, id]) => [name, new RegExp(`<span id="${id}">([^<]*)</span>`).exec(page)?.[1]],
    ),
  );
const focused = ({ page } = on.browser) =>
  [...page.matchAll(/<input id="([^"]+)"[^>]*\sautofocus/g)].map(([, name]) => name);
const wrongCode = () => (on.local.code(email) === "000000" ? "111111" : "000000");

describe("a refused form", () => {
  test("shows its message once, with the entered values but no password", async () => {
    await open("/signup");
    await signUp({ username: "b@example.com", repeat: "Other-horse-1" });
    expect([on.browser.answered, on.browser.status]).toEqual([303, 200]);
    expect(on.browser.message).toBe("The two passwords are not the same.");
    expect(on.browser.input("username")).toContain('value="b@example.com"');
    expect(on.browser.page).not.toContain("horse");
    await open("/signup");
    expect([on.browser.title, on.browser.message]).toEqual(["Create an account", undefined]);
    expect(on.browser.input("username"), "the page fills it in").toContain('value="b@example.com"');
  });

  test("does not show its message on another page that the browser opens first", async () => {
    await open("/login");
    const csrf = /name="_csrf" value="([^"]+)"/.exec(on.browser.page)![1]!;
    const cookie = [...on.browser.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const body = new URLSearchParams({ _csrf: csrf, username: email });
    const { status } = await fetch(`${on.login.url}${on.request({}, "/login")}`, {
      method: "POST",
      body,
      headers: { cookie },
      redirect: "manual",
    });
    expect(status).toBe(303);
    await open("/signup");
    expect([on.browser.title, on.browser.message]).toEqual(["Create an account", undefined]);
  });

  test("reports and marks every empty field", async () => {
    await open("/signup");
    expect([focused(), marked()]).toEqual([["username"], {}]);
    await on.browser.submit("/signup");
    expect(on.browser.message).toBe("Enter your email address. Enter a password. Enter the password once more.");
    expect(marked()).toEqual({
      username: "Enter your email address.",
      password: "Enter a password.",
      repeat: "Enter the password once more.",
    });
    expect(focused()).toEqual(["username"]);
    await signUp({ repeat: "other" });
    expect([marked(), focused()]).toEqual([{ repeat: "The two passwords are not the same." }, ["password"]]);
    await signUp({ password: "short", repeat: "short" });
    expect([Object.keys(marked()), focused()]).toEqual([["password"], ["password"]]);
    expect(on.browser.input("password")).toContain('aria-describedby="password-error password-hint"');
  });

  test("focuses the first field that is wrong or empty, else the first one", async () => {
    await on.signIn(on.request(), email, "Wrong-horse-1");
    expect([marked(), focused()]).toEqual([{}, ["password"]]);
    await open("/forgotPassword");
    expect(focused()).toEqual(["username"]);
  });
});

describe("Cognito's refusal of a sign-up becomes an instruction:", () => {
  const long = `${"a".repeat(100)}@example.com`;
  test.each([
    ["Enter an email address, for example name@example.com.", "username", { username: "ada" }],
    ["Enter at most 100 characters as email address.", "username", { username: long }],
    ["Enter at most 2048 characters.", "username", { username: "a".repeat(2049) }],
    ["Choose a longer password: at least 8 characters.", "password", { password: "Sh0rt-" }],
    ["Add an upper-case letter to the password.", "password", { password: "correct-horse-1" }],
    ["Add a lower-case letter to the password.", "password", { password: "CORRECT-HORSE-1" }],
    ["Add a number to the password.", "password", { password: "Correct-horse" }],
    ["Add a symbol to the password, for example a hyphen.", "password", { password: "CorrectHorse1" }],
    ["Remove the spaces before and after the password.", "password", { password: "Correct-horse-1 " }],
    ["Choose a password of at most 256 characters.", "password", { password: `Aa1-${"x".repeat(253)}` }],
  ])("%s", async (text, field, changes: { username?: string; password?: string }) => {
    await open("/signup");
    await signUp({ ...changes, ...(changes.password && { repeat: changes.password }) });
    expect([on.browser.message, marked()]).toEqual([text, { [field]: text }]);
  });

  test("an attribute that the pool requires", async () => {
    const name = { name: "given_name", required: true, stringAttributeConstraints: { minLength: "2", maxLength: "5" } };
    const other = await LocalLogin.start({ pool: { schemas: [...poolInputs.schemas, name] } });
    try {
      const { browser } = other;
      const send = async (given: string) => {
        await browser.open(other.request({}, "/signup"));
        await browser.submit("/signup", { username: email, "attribute.given_name": given, password, repeat: password });
        return marked(browser);
      };
      expect(await send("")).toEqual({ "attribute.given_name": "Enter your given name." });
      expect(await send("A")).toEqual({ "attribute.given_name": "Enter at least 2 characters as given name." });
      expect(await send("Augusta")).toEqual({ "attribute.given_name": "Enter at most 5 characters as given name." });
      expect(browser.input("attribute.given_name")).toContain('value="Augusta"');
      await send("Ada");
      expect(browser.url).toContain("/confirm?");
    } finally {
      await other.dispose();
    }
  });
});

describe("a code", () => {
  test("is refused after too many wrong attempts, and a new one is accepted", async () => {
    await open("/signup");
    await signUp();
    for (let i = 0; i < 5; i++) await on.browser.submit("/confirm", { code: wrongCode() });
    expect(marked()).toEqual({ code: "Invalid verification code provided, please try again." });
    await on.browser.submit("/confirm", { code: on.local.code(email) });
    const text = "After too many wrong attempts, the code is no longer valid. Press “Send a new code” to get another.";
    expect([on.browser.message, marked()]).toEqual([text, { code: text }]);
    await on.browser.submit("/resendcode");
    expect(await on.browser.submit("/confirm", { code: on.local.code(email) })).toMatch(/[?&]code=/);
  });

  test("is refused if it is too old; too many requests for codes are refused", async () => {
    await open("/signup");
    await signUp();
    const old = on.local.code(email);
    on.local.ahead = 24 * 3600_000;
    await on.signIn();
    await on.browser.submit("/confirm", { code: old });
    expect(on.browser.message).toBe("This code is no longer valid. Press “Send a new code” to get another.");
    for (let i = 0; i < 11; i++) {
      on.local.ahead += 10_000;
      await on.browser.submit("/resendcode");
    }
    expect(on.browser.url).toContain("/confirm?");
    expect(on.browser.message).toBe(
      "Too many codes were sent within an hour. Use the newest one, or wait before you ask again.",
    );
  });

  test("is described as sent only if it was sent", async () => {
    await open("/signup");
    await signUp();
    expect(on.browser.page).toContain("We have sent a code by email to");
    on.browser.cookies.clear();
    await on.signIn();
    expect(on.browser.page).toContain(`Enter the code that was sent to <strong>${email}</strong>`);
    expect(on.browser.page).not.toContain("We have sent");
    await on.browser.submit("/resendcode");
    expect(on.browser.page).toContain("We have sent a code by email to");
  });

  test("is in the mailbox that the pages link to when they ask for it", async () => {
    await open("/signup");
    expect(on.browser.links).not.toHaveProperty("Open the mailbox");
    await signUp();
    expect(on.browser.links["Open the mailbox"]).toBe(on.local.cognito.mailboxUrl);
    await open("/forgotPassword");
    await on.browser.submit("/forgotPassword", { username: email });
    expect(on.browser.links["Open the mailbox"]).toBe(on.local.cognito.mailboxUrl);
    expect(await (await fetch(on.browser.links["Open the mailbox"]!)).text()).toContain(on.local.code(email));
  });
});

describe("an entered address is filled in on the next pages", () => {
  test("from sign-in to the reset of the password, and back to sign-in", async () => {
    await on.signUp();
    on.browser.cookies.clear();
    await open("/login");
    expect(focused()).toEqual(["username"]);
    expect(await on.browser.submit("/login", { username: email, password: "", forgot: "yes" })).toContain(
      "/forgotPassword?",
    );
    expect(on.browser.message).toBeUndefined();
    expect(on.browser.input("username")).toContain(`value="${email}"`);
    await on.browser.submit("/forgotPassword", { username: email });
    const first = on.local.code(email);
    const mails = on.local.cognito.state.mailbox.list().length;
    await on.browser.submit("/resendResetCode");
    expect(on.browser.message).toBe("If there is an account, a new code is on its way.");
    expect(on.local.cognito.state.mailbox.list()).toHaveLength(mails + 1);
    if (on.local.code(email) !== first) {
      await on.browser.submit("/confirmForgotPassword", { code: first, password, repeat: password });
      expect(on.browser.message).toBe("Invalid verification code provided, please try again.");
    }
    const code = on.local.code(email);
    await on.browser.submit("/confirmForgotPassword", { code, password, repeat: "other" });
    expect(on.browser.input("code"), "only the password has to be typed again").toContain(`value="${code}"`);
    await on.browser.submit("/confirmForgotPassword", { code, password, repeat: password });
    expect(on.browser.input("username")).toContain(`value="${email}"`);
    expect(focused()).toEqual(["password"]);
  });
});

describe("an error page links to where the person can go on:", () => {
  test("signed in already, in another tab", async () => {
    await on.signUp();
    on.browser.cookies.clear();
    await open("/login");
    const other = on.browser.twin();
    await on.browser.submit("/login", { username: email, password });
    for (const [name, value] of on.browser.cookies) other.cookies.set(name, value);
    await other.submit("/login", { username: email.toUpperCase(), password });
    expect([other.status, other.title]).toEqual([403, "You are signed in already"]);
    expect(await other.twin().open(other.links["Continue to the app"]!)).toMatch(/callback\?code=/);
    expect(await other.open(other.links["Back to sign in"]!)).toContain("/login?");
  });

  test("page open for too long", async () => {
    await on.signUp();
    on.browser.cookies.clear();
    await open("/login");
    on.local.ahead = 3600_000;
    await on.browser.submit("/login", { username: email, password });
    expect([on.browser.status, on.browser.message]).toEqual([403, expect.stringContaining("open for too long")]);
    await on.browser.open(on.browser.links["Back to sign in"]!);
    expect(await on.browser.submit("/login", { username: email, password })).toMatch(/[?&]code=/);
  });

  test("confirmed already", async () => {
    await open("/signup");
    await signUp();
    const other = on.browser.twin();
    on.browser.cookies.clear();
    await on.signIn();
    await on.browser.submit("/confirm", { code: on.local.code(email) });
    await other.submit("/confirm", { code: "123456" });
    expect(other.message).toBe("This account is confirmed already. Go back to sign in.");
    expect(await other.open(other.links["Back to sign in"]!)).toContain("/login?");
    expect(other.input("username")).toContain(`value="${email}"`);
  });

  test("a temporary password that was entered too long ago", async () => {
    const create = { UserPoolId: on.local.poolId, Username: email, TemporaryPassword: "Temporary-1" };
    await on.local.sdk.send(new AdminCreateUserCommand(create));
    await on.signIn(on.request(), email, "Temporary-1");
    on.local.ahead = 3 * 60_000;
    await on.browser.submit("/newPassword", { password, repeat: password });
    expect(on.browser.message).toBe("This took too long. Go back and sign in with your temporary password again.");
    expect(await on.browser.open(on.browser.links["Back to sign in"]!)).toContain("/login?");
  });

  test("too many wrong passwords", async () => {
    await on.signUp();
    on.browser.cookies.clear();
    for (let i = 0; i < 6; i++) await on.signIn(on.request(), email, "Wrong-horse-1");
    expect(on.browser.message).toBe(
      "There were too many wrong passwords in a row. Wait a moment, then try again; the wait grows up to 15 minutes.",
    );
  });
});

/** WCAG 2.2, 1.4.11: the border of a field or a button needs a contrast of 3:1 to the colour beside it. */
test("the borders of fields and second buttons stand out, in light and in dark", () => {
  const style = readFileSync("local/services/managed-login/style.css", "utf8");
  const luminance = (colour: string) => {
    const [red, green, blue] = [1, 3, 5].map((at) => {
      const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
  };
  const values = (name: string) => [...style.matchAll(new RegExp(`${name}: (#[0-9a-f]{6})`, "g"))].map(([, it]) => it!);
  const [lines, cards] = [values("--line"), values("--card")];
  expect([lines.length, cards.length]).toEqual([2, 2]);
  for (const [i, line] of lines.entries()) {
    const [dark, light] = [luminance(line), luminance(cards[i]!)].sort((a, b) => a - b) as [number, number];
    expect((light + 0.05) / (dark + 0.05), `${line} on ${cards[i]}`).toBeGreaterThanOrEqual(3);
  }
});
