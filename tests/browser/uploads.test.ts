/** The page uploads, or says why it does not, with every combination of the settings under `api`. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AdminConfirmSignUpCommand,
  CognitoIdentityProviderClient,
  SignUpCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { drawPicture, howToGetChromium, installedChromium, openBrowser, screenshot } from "../support/browser";
import { type RunningSystem, startLocalSystem } from "../support/localSystem";

const person = { email: "ada@example.com", password: "Correct-horse-1" };

describe.skipIf(!installedChromium)(`uploads in a browser (${howToGetChromium})`, () => {
  const directory = mkdtempSync(join(tmpdir(), "ecommerce-uploads-"));
  let browser: Awaited<ReturnType<typeof openBrowser>>;
  let page: Page;
  let picture: Buffer;
  let signedUp = false;

  beforeAll(async () => {
    browser = await openBrowser();
    page = browser.context.pages()[0]!;
    picture = await drawPicture(page, "image/png", "vase");
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  async function signUp({ outputs }: RunningSystem): Promise<void> {
    const { region, cognitoEndpoint: endpoint, accessKeyId, secretAccessKey } = outputs;
    const cognito = new CognitoIdentityProviderClient({
      region,
      endpoint,
      credentials: { accessKeyId, secretAccessKey },
    });
    const { email: Username, password: Password } = person;
    const UserAttributes = [{ Name: "email", Value: Username }];
    const { UserSub } = await cognito.send(
      new SignUpCommand({ ClientId: outputs.userPoolClientId, Username, Password, UserAttributes }),
    );
    await cognito.send(new AdminConfirmSignUpCommand({ UserPoolId: outputs.userPoolId, Username: UserSub }));
    cognito.destroy();
  }

  async function signIn({ outputs }: RunningSystem): Promise<void> {
    await page.goto(outputs.webUrl!);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("textbox", { name: "Email address" }).fill(person.email);
    await page.getByRole("textbox", { name: "Password" }).fill(person.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("The registration function made this row").waitFor();
  }

  const offer = () =>
    page.getByLabel("Choose pictures").setInputFiles({ name: "vase.png", mimeType: "image/png", buffer: picture });

  const combinations = [
    ...[false, true].flatMap((ownPrefix) =>
      [true, false].map((overwrite) => ({ ownPrefix, overwrite, writers: "everyone" }) as const),
    ),
    // The page offers no upload, so the other settings do not matter.
    { ownPrefix: true, overwrite: false, writers: "application" } as const,
  ];
  it.each(combinations)("$writers may upload, ownPrefix $ownPrefix, overwrite $overwrite", async (uploads) => {
    const set = Object.entries(uploads).flatMap(([key, value]) => ["--set", `api.${key}=${value}`]);
    const system = await startLocalSystem(directory, set);
    try {
      expect(system.outputs.uploads).toEqual(uploads);
      if (!signedUp) await signUp(system);
      signedUp = true;
      await signIn(system);
      const images = page.getByRole("list").getByRole("img");
      const before = await images.count();
      if (uploads.writers === "application") {
        await page.getByText("Only the shop's own application may upload pictures here").waitFor();
        expect(await page.getByLabel("Choose pictures").isVisible()).toBe(false);
        const dropped = 'new DragEvent("drop", { bubbles: true, cancelable: true })';
        expect(await page.evaluate(`document.body.dispatchEvent(${dropped})`), "a file replaces the page").toBe(false);
        await screenshot(page, `uploads-by-${uploads.writers}`);
        return;
      }
      await offer();
      await expect.poll(() => images.count()).toBe(before + 1);
      const sub = await page.locator("[data-part=sub]").textContent();
      const address = (await images.first().getAttribute("src"))!;
      const prefix = `${system.outputs.bucketUrl}/${sub}/`;
      expect(address.startsWith(prefix) && !address.slice(prefix.length).includes("/"), address).toBe(true);
      expect(Buffer.from(await (await fetch(address)).arrayBuffer()).equals(picture)).toBe(true);
      await page.getByRole("button", { name: "Load through the API: vase.png" }).first().click();
      await page.getByText(/^Shown as the API gave it: image\/png/).waitFor();
    } finally {
      await page.goto("about:blank");
      await browser.context.clearCookies();
      await system.stop();
    }
  });
});
