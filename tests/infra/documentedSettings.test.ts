/** Asserts every documented setting on the program for stack dev. */
import { beforeAll, describe, expect, it } from "vitest";
import { type Recorded, recordProgram } from "../support/program";
import { documentedSettings } from "./documentedSettings";

let program: Recorded;
beforeAll(async () => {
  program = await recordProgram();
});

documentedSettings(describe, it, () => program);

it("takes callback and sign-out URLs from the configuration", async () => {
  const other = await recordProgram({
    "ecommerce:callbackUrls": '["https://shop.example.com/in"]',
    "ecommerce:signOutUrls": '["https://shop.example.com/out"]',
  });
  expect(other.one("aws:cognito/userPoolClient:UserPoolClient").inputs).toMatchObject({
    callbackUrls: ["https://shop.example.com/in"],
    logoutUrls: ["https://shop.example.com/out"],
  });
});
