/** Values that hostile clients put into requests to the login pages, and checks that every answer must pass. */
import fc from "fast-check";
import { expect } from "vitest";
import type { Reply } from "../s3/exchange";
import { callback } from "./support";

export const registered = [callback, "https://shop.example.com/callback", "http://localhost:5173/"];
export const forms = [
  "/login",
  "/signup",
  "/confirm",
  "/resendcode",
  "/forgotPassword",
  "/confirmForgotPassword",
  "/resendResetCode",
  "/newPassword",
];
export const endpoints = ["/oauth2/token", "/oauth2/revoke", "/oauth2/userInfo"];

export const hostile = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.string({ maxLength: 60 }),
  fc.constantFrom(
    `"><script>alert(1)</script>`,
    `' onfocus=alert(1) x='`,
    "</form><form action=https://evil.example>",
    "&lt;&quot;&#39;",
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "javascript:alert(1)",
    "a\r\nX-Injected: yes\r\n\r\n<h1>",
    "\u0000\ud800\u2028",
    "__proto__",
    "constructor",
    "x".repeat(3000),
  ),
);
export const urlish = fc
  .tuple(
    fc.constantFrom(...registered),
    fc.constantFrom(
      "",
      "/",
      "?x=1",
      "#x",
      "@evil.example",
      ".evil.example",
      "/../x",
      "\\",
      "%0d%0a",
      "\t",
      " ",
      "\u0000",
    ),
    fc.nat({ max: 40 }),
  )
  .map(([url, piece, at]) => url.slice(0, at) + piece + url.slice(at));
/** The right value of a parameter, or anything. */
export const mostly = (right: string) =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(right) }, { weight: 1, arbitrary: hostile });

const allowedLocation = (location: string) =>
  registered.some((url) => location === url || location.startsWith(`${url}?`)) ||
  [...forms, "/oauth2/authorize"].some((path) => location.startsWith(`${path}?`));

const tags = new Set("html head meta title link body main h1 p a form input button div label span strong".split(" "));
const attributes = new Set(
  (
    "lang charset name content rel href class role id method action novalidate type value for autocomplete required " +
    "inputmode aria-describedby aria-invalid autocapitalize autofocus spellcheck target"
  ).split(" "),
);

/** The addresses of the pages and of the mailbox. */
const addresses =
  /^(data:,|\/style\.css|http:\/\/127\.0\.0\.1:\d+\/mailbox|\/(?:login|signup|confirm|resendcode|resendResetCode|\w+Password)\?[^<>"']*)$/;

/** Checks that a page has only the elements, attributes and addresses of the pages' own templates. */
function expectOwnMarkup(page: string): void {
  const inner = page.replace(/^<!doctype html>\n/, "");
  expect(inner.replace(/<[^<>]*>/g, "")).not.toMatch(/[<>]/);
  for (const [, name, given] of inner.matchAll(/<\/?([^\s<>]*)([^<>]*)>/g)) {
    expect(tags).toContain(name);
    const pairs = [...given!.matchAll(/\s+([^\s"'=]+)(?:="([^"]*)")?/g)];
    expect(pairs.map(([whole]) => whole).join("")).toBe(given!.trimEnd());
    for (const [, attribute, value] of pairs) {
      expect(attributes).toContain(attribute);
      if (attribute === "action" || attribute === "href") {
        expect(value).toMatch(addresses);
      }
    }
  }
}

/** Checks what must be true of every answer to any request. */
export function expectHarmless(reply: Reply): void {
  expect(reply.status).toBeGreaterThanOrEqual(200);
  expect(reply.status).toBeLessThan(500);
  const { location, "content-type": type = "" } = reply.headers;
  if (location !== undefined) expect(location).toSatisfy(allowedLocation);
  expect(reply.headers["x-injected"]).toBeUndefined();
  for (const set of reply.headers["set-cookie"] ?? []) {
    expect(set).toMatch(/^cognito-local=(?:[\w-]{32}|; Max-Age=0); Path=\/; HttpOnly; SameSite=Lax$/);
  }
  // An answer to HEAD, or a redirect.
  if (reply.text === "") return;
  if (type.startsWith("text/html")) expectOwnMarkup(reply.text);
  else if (type === "application/json") JSON.parse(reply.text);
  else expect(type).toMatch(/^text\/css/);
}
