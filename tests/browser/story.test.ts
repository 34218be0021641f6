/** A person uses the page of `npm start` in a real browser, from the first visit to a new password. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Locator, Page, Request } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  drawPicture,
  howToGetChromium,
  installedChromium,
  openBrowser,
  screenshot,
  throttled,
} from "../support/browser";
import { type RunningSystem, startLocalSystem } from "../support/localSystem";

const email = "grace.hopper@example.com";
const [password, newPassword] = ["Correct-horse-1", "Battery-staple-2"];
const phone = { width: 360, height: 740 };

describe.skipIf(!installedChromium)(`a person in a browser (${howToGetChromium})`, () => {
  const directory = mkdtempSync(join(tmpdir(), "ecommerce-browser-"));
  let system: RunningSystem;
  let browser: Awaited<ReturnType<typeof openBrowser>>;
  let page: Page;
  /** The browser's errors and warnings: script errors, violations of the content security policy, failed requests. */
  const browserErrors: string[] = [];
  const picture: Record<string, Buffer> = {};

  beforeAll(async () => {
    system = await startLocalSystem(directory);
    browser = await openBrowser({ viewport: { width: 1200, height: 800 } });
    page = browser.context.pages()[0] ?? (await browser.context.newPage());
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") browserErrors.push(message.text());
    });
    page.on("pageerror", (error) => browserErrors.push(String(error)));
  });
  afterAll(async () => {
    await browser?.close();
    await system?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const button = (name: string | RegExp) => page.getByRole("button", { name, exact: true });
  const field = (name: string) => page.getByRole("textbox", { name, exact: true });
  const heading = (name: string | RegExp) => page.getByRole("heading", { name });
  const shown = (locator: Locator) => locator.waitFor({ state: "visible" });
  const words = (role: "alert" | "status") => page.getByRole(role).filter({ hasText: /./ }).textContent();

  const codeFor = async (address: string): Promise<string> => {
    const mails = (await (await fetch(system.outputs.mailbox)).json()) as { to: string; code: string }[];
    return mails.find(({ to }) => to === address)!.code;
  };
  const offer = (...files: { name: string; mimeType: string; buffer: Buffer }[]) =>
    page.getByLabel("Choose pictures").setInputFiles(files);
  /** The text beside an upload; the hidden status for screen readers contains it too. */
  const beside = (text: string) => page.getByRole("list", { name: "Uploads under way" }).getByText(text);
  const signedIn = async () => {
    await shown(button("Sign out"));
    await page.getByText("The registration function made this row").waitFor();
  };
  const signIn = async (secret: string) => {
    await button("Sign in").click();
    await field("Email address").fill(email);
    await field("Password").fill(secret);
    await button("Sign in").click();
  };
  const signOut = async () => {
    await button("Sign out").click();
    await shown(button("Create an account"));
  };
  const fitsItsWidth = async () => {
    const [content, window] = await page.evaluate<[number, number]>(
      "[document.documentElement.scrollWidth, document.documentElement.clientWidth]",
    );
    expect(content, page.url()).toBeLessThanOrEqual(window);
  };

  it("opens the page whose address npm start prints", async () => {
    const address = /^ {2}page +(\S+)$/m.exec(system.printed())![1]!;
    await page.goto(address);
    await shown(heading("Pictures for the shop"));
    expect(await page.getByRole("link", { name: "listed in its mailbox" }).getAttribute("href")).toBe(
      system.outputs.mailbox,
    );
    await screenshot(page, "01-welcome");
  });

  it("signs up on the login pages; a weak password is refused with an explanation", async () => {
    await button("Create an account").click();
    await shown(heading("Create an account"));
    await field("Email address").fill(email);
    await field("Password").fill("short");
    await field("Confirm password").fill("short");
    await button("Sign up").click();
    expect(await words("alert")).toMatch(/^Choose a longer password: at least \d+ characters\.$/);
    await screenshot(page, "02-weak-password");
    expect(await field("Email address").inputValue(), "the entered address stays").toBe(email);
    expect(await field("Password").getAttribute("aria-invalid")).toBe("true");
    // In neither direction does the browser ask whether to send the form again.
    await page.goBack();
    await page.goForward();
    await shown(heading("Create an account"));
    expect(await field("Email address").inputValue(), "the entered address stays").toBe(email);
    await field("Password").fill(password);
    await field("Confirm password").fill(password);
    await button("Sign up").click();
    await shown(heading("Confirm your account"));
    await shown(page.getByText(email));
    await screenshot(page, "03-confirm");
  });

  it("is refused with a wrong code, gets a new one on request, and comes back signed in with the row", async () => {
    const first = await codeFor(email);
    await field("Confirmation code").fill(first === "123456" ? "654321" : "123456");
    await button("Confirm account").click();
    expect(await words("alert")).toBe("Invalid verification code provided, please try again.");
    await screenshot(page, "04-wrong-code");
    const mailbox = page.getByRole("link", { name: "Open the mailbox" });
    expect(await mailbox.getAttribute("href")).toBe(system.outputs.mailbox);
    await button("Send a new code").click();
    expect(await words("status")).toBe("A new code is on its way.");
    const second = await codeFor(email);
    await field("Confirmation code").fill(second);
    await button("Confirm account").dblclick();
    await signedIn();
    expect(page.url(), "no code stays in the address").toBe(system.outputs.webUrl);
    const row = await page.locator("[data-part=row]").textContent();
    const sub = await page.locator("[data-part=sub]").textContent();
    expect(row).toContain(sub);
    expect(row).toContain(email);
    await shown(page.getByText("None yet."));
    await screenshot(page, "05-signed-in");
  });

  it("uploads a picture and sees its progress", async () => {
    const drawing = await browser.context.newPage();
    picture["lamp.jpg"] = await drawPicture(drawing, "image/jpeg", "lamp");
    picture["red vase.png"] = await drawPicture(drawing, "image/png", "vase");
    picture["Stuhl für Zoë.png"] = await drawPicture(drawing, "image/png", "stool", 0.1);
    await drawing.close();
    const unthrottle = await throttled(page, 50_000);
    await offer({ name: "Stuhl für Zoë.png", mimeType: "image/png", buffer: picture["Stuhl für Zoë.png"]! });
    await page.getByText(/^[1-9]\d? % of \d+ kB$/).waitFor();
    const progress = page.getByRole("progressbar", { name: "Upload of Stuhl für Zoë.png" });
    const value = await progress.evaluate((element: any) => element.value as number);
    expect(value).toBeGreaterThan(0);
    expect(value).toBeLessThan(1);
    await shown(button("Cancel: Stuhl für Zoë.png"));
    await screenshot(page, "06-uploading");
    await unthrottle();
    await shown(page.getByRole("img", { name: "Stuhl für Zoë.png" }));
    await progress.waitFor({ state: "detached" });
  });

  it("uploads two more at once; a file that is not a picture is refused with an explanation", async () => {
    await offer(
      { name: "red vase.png", mimeType: "image/png", buffer: picture["red vase.png"]! },
      { name: "lamp.jpg", mimeType: "image/jpeg", buffer: picture["lamp.jpg"]! },
      { name: "price list.png", mimeType: "image/png", buffer: Buffer.from("lamp, 49.00\n") },
    );
    await shown(page.getByRole("img", { name: "lamp.jpg" }));
    await shown(page.getByRole("img", { name: "red vase.png" }));
    await shown(beside("Only JPEG and PNG pictures are taken."));
    expect(await button("Try again: price list.png").count(), "it would fail again").toBe(0);
    await screenshot(page, "07-refused");
    await button("Remove: price list.png").click();
    expect(await beside("Only JPEG").count()).toBe(0);
  });

  it("sees and hears of all damaged files before an upload, and removes them with one click", async () => {
    const puts: string[] = [];
    const record = (request: Request) => request.method() === "PUT" && puts.push(request.url());
    page.on("request", record);
    const { "red vase.png": png, "lamp.jpg": jpeg } = picture;
    await offer(
      { name: "half a vase.png", mimeType: "image/png", buffer: png!.subarray(0, 2_000) },
      { name: "a lamp's head.jpg", mimeType: "image/jpeg", buffer: jpeg!.subarray(0, 100) },
      { name: "notes.png", mimeType: "image/png", buffer: Buffer.from("lamp") },
    );
    await expect.poll(() => beside("This file is damaged").count()).toBe(2);
    const announced = page.getByRole("status").filter({ hasText: /half a vase.png: This file is damaged/ });
    await announced.filter({ hasText: /a lamp's head.jpg: This file/ }).waitFor();
    await screenshot(page, "07a-damaged");
    await button("Remove all uploads that failed").click();
    expect(await beside("This file").count()).toBe(0);
    expect(await button("Remove all uploads that failed").isVisible()).toBe(false);
    expect(puts).toEqual([]);
    page.off("request", record);
  });

  it("is asked before a sign-out or a reload that would cancel an upload", async () => {
    const unthrottle = await throttled(page, 2_000);
    await offer({ name: "lamp.jpg", mimeType: "image/jpeg", buffer: picture["lamp.jpg"]! });
    await shown(button("Cancel: lamp.jpg"));
    await button("Sign out").click();
    const question = page.getByRole("dialog", { name: "Uploads are still under way" });
    await shown(question);
    await screenshot(page, "07b-leaving");
    await page.keyboard.press("Escape");
    await question.waitFor({ state: "hidden" });
    await button("Sign out").click();
    await button("Go on uploading").click();
    await shown(button("Cancel: lamp.jpg"));

    const dialogType = new Promise<string>((resolve) =>
      page.once("dialog", (dialog) => {
        resolve(dialog.type());
        dialog.dismiss();
      }),
    );
    // Not awaited: a reload that the person cancels never ends.
    page.reload().catch(() => {});
    expect(await dialogType).toBe("beforeunload");
    await shown(button("Cancel: lamp.jpg"));

    await button("Sign out").click();
    await question.getByRole("button", { name: "Sign out" }).click();
    await shown(button("Create an account"));
    await unthrottle();
    await signIn(password);
    await signedIn();
    expect(await page.getByRole("list").getByRole("img").count(), "without the cancelled picture").toBe(3);
  });

  it("sees them in the gallery, as the bucket serves them to anyone, byte for byte", async () => {
    const images = page.getByRole("list").getByRole("img");
    expect(await images.count()).toBe(3);
    for (const image of await images.all()) {
      await image.scrollIntoViewIfNeeded();
      await expect.poll(() => image.evaluate((element: any) => element.naturalWidth)).toBe(640);
      const name = (await image.getAttribute("alt"))!;
      const address = (await image.getAttribute("src"))!;
      expect(address.startsWith(`${system.outputs.bucketUrl}/`)).toBe(true);
      const response = await fetch(address);
      expect(response.headers.get("content-type")).toBe(name.endsWith(".jpg") ? "image/jpeg" : "image/png");
      expect(Buffer.from(await response.arrayBuffer()).equals(picture[name]!), name).toBe(true);
    }
    await button("Load through the API: lamp.jpg").click();
    await page.getByText(/^Shown as the API gave it: image\/jpeg/).waitFor();
    await page.evaluate("scrollTo(0, 0)");
    await screenshot(page, "08-gallery");
    // docs/images/page.png is a copy of this one.
    await page.screenshot({ path: join("test-results", "page.png") });
  });

  it("can use the page on a phone, light or dark", async () => {
    await page.setViewportSize(phone);
    await page.emulateMedia({ colorScheme: "dark" });
    await fitsItsWidth();
    const [upload, you, pictures] = await Promise.all(
      ["Upload", "You", "Your pictures"].map(async (name) => (await heading(new RegExp(`^${name}$`)).boundingBox())!.y),
    );
    expect(upload! < you! && you! < pictures!, "the person's row is above the gallery").toBe(true);
    await screenshot(page, "09-phone-signed-in-dark");
    await page.emulateMedia({ colorScheme: "light" });
    await screenshot(page, "10-phone-signed-in");
    await page.setViewportSize({ width: 320, height: 640 });
    await fitsItsWidth();
    // An element that is wider than its card is not clipped, and need not widen the window, so check each one.
    const outside = await page.evaluate<string[]>(
      `[...document.querySelectorAll(".card")].flatMap((card) => [...card.querySelectorAll("*:not(.unseen)")]
        .filter((part) => part.getBoundingClientRect().right > card.getBoundingClientRect().right)
        .map((part) => part.outerHTML))`,
    );
    expect(outside).toEqual([]);
    expect(await page.getByText("Stuhl für Zoë.png").getAttribute("title")).toBe("Stuhl für Zoë.png");
    await screenshot(page, "10a-narrow");
    await page.setViewportSize(phone);
  });

  it("signs out of the page and of the login pages", async () => {
    await signOut();
    await fitsItsWidth();
    await screenshot(page, "11-phone-signed-out");
    await button("Sign in").click();
    await shown(heading("Sign in"));
    await fitsItsWidth();
    await screenshot(page, "12-phone-sign-in");
    await field("Email address").fill(email);
    await field("Password").fill("Wrong-password-9");
    await button("Sign in").click();
    expect(await words("alert")).toBe("Incorrect username or password.");
    await screenshot(page, "13-phone-wrong-password");
    await page.setViewportSize({ width: 1200, height: 800 });
  });

  it("signs in again, and finds the pictures", async () => {
    await page.goto(system.outputs.webUrl!);
    await signIn(password);
    await signedIn();
    await shown(page.getByRole("img", { name: "lamp.jpg" }));
    await page.reload();
    await signedIn();
    await signOut();
  });

  it("can use the page with any content in its storage, and sees an error that has no state", async () => {
    await page.evaluate('sessionStorage.setItem("tokens", "{"); sessionStorage.setItem("pendingSignIn", "[1")');
    await page.goto(system.outputs.webUrl!);
    await shown(button("Create an account"));
    await page.goto(`${system.outputs.webUrl}?error=invalid_request&error_description=No+such+client`);
    expect(await words("alert")).toBe("The login pages did not sign you in: No such client.");
    expect(page.url()).toBe(system.outputs.webUrl);
    await page.reload();
  });

  it("without JavaScript sees that the page needs it, and no loading text", async () => {
    const plain = await openBrowser({ javaScriptEnabled: false });
    try {
      const without = plain.context.pages()[0]!;
      await without.goto(system.outputs.webUrl!);
      expect(await without.locator("noscript").innerText()).toBe("This page needs JavaScript.");
      expect(await without.getByText("Loading …").isVisible()).toBe(false);
    } finally {
      await plain.close();
    }
  });

  it("resets a forgotten password", async () => {
    await button("Sign in").click();
    await field("Email address").fill(email);
    await button("Forgot your password?").click();
    await shown(heading("Forgot your password?"));
    expect(await field("Email address").inputValue(), "the address is kept").toBe(email);
    await screenshot(page, "14-forgotten");
    await button("Reset my password").dblclick();
    await shown(heading("Reset your password"));
    await field("Confirmation code").fill(await codeFor(email));
    await field("Password").fill(newPassword);
    await field("Confirm password").fill(`${newPassword}!`);
    await button("Change password").click();
    expect(await words("alert")).toBe("The two passwords are not the same.");
    await screenshot(page, "15-reset");
    expect(await field("Confirmation code").inputValue(), "the correct code is kept").toBe(await codeFor(email));
    await field("Password").fill(newPassword);
    await field("Confirm password").fill(newPassword);
    await button("Change password").click();
    expect(await words("status")).toBe("Your password is changed. You can sign in now.");
    expect(await field("Email address").inputValue(), "the address is kept").toBe(email);
    await field("Password").fill(password);
    await button("Sign in").click();
    expect(await words("alert"), "the old password").toBe("Incorrect username or password.");
    await page.goto(system.outputs.webUrl!);
  });

  it("signs in with the keyboard alone", async () => {
    const focused = () =>
      page.evaluate<string>("document.activeElement.textContent.trim() || document.activeElement.id");
    const tabTo = async (what: string) => {
      for (let presses = 0; presses < 8; presses++) {
        await page.keyboard.press("Tab");
        if ((await focused()) === what) return;
      }
      throw new Error(`8 presses of Tab at ${page.url()} do not lead to ${what}.`);
    };
    await shown(button("Create an account"));
    await tabTo("Sign in");
    await screenshot(page, "16-keyboard-focus");
    await page.keyboard.press("Enter");
    await shown(heading("Sign in"));
    if ((await focused()) !== "username") await tabTo("username");
    await page.keyboard.type(email);
    await tabTo("password");
    await page.keyboard.type(newPassword);
    await page.keyboard.press("Enter");
    await signedIn();
    await tabTo("Sign out");
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.type"), "the next stop is the upload").toBe("file");
    await screenshot(page, "17-keyboard-signed-in");
  });

  it("can also sign in by the address of the login pages that npm start prints", async () => {
    await signOut();
    await page.goto(system.outputs.signInUrl);
    await field("Email address").fill(email);
    await field("Password").fill(newPassword);
    await button("Sign in").click();
    await signedIn();
  });

  it("sees that the system has stopped", async () => {
    await system.stop();
    await offer({ name: "lamp.jpg", mimeType: "image/jpeg", buffer: picture["lamp.jpg"]! });
    await shown(beside("There is no connection to the image API. It runs on this machine: see in its terminal"));
    await shown(button("Try again: lamp.jpg"));
    await screenshot(page, "18-stopped");
    const unexpected = browserErrors.filter((text) => !/ERR_CONNECTION_REFUSED/.test(text));
    expect(unexpected, "errors and warnings of the browser").toEqual([]);
  });
});

it("the README's picture of the page exists and is small", () => {
  expect(readFileSync("README.md", "utf8").includes("(docs/images/page.png)")).toBe(true);
  expect(readFileSync("docs/images/page.png").length).toBeLessThan(200_000);
});
