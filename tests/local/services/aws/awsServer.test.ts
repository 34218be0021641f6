import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { expect, onTestFinished, test, vi } from "vitest";
import { AwsServer } from "../../../../local/services/aws/awsServer";
import { Iam } from "../../../../local/services/iam/iam";

/** Reads `SecretString` from a server whose clock is off by `minutesOff` minutes. */
async function readWith(minutesOff: number, answer: () => Promise<string>): Promise<string | undefined> {
  const directory = mkdtempSync(join(tmpdir(), "aws-server-"));
  const iam = new Iam({ directory, accountId: "111122223333" });
  const region = "eu-west-1";
  const now = () => new Date(Date.now() + minutesOff * 60_000);
  const options = { service: "secretsmanager", region, port: 0, iam, contentType: "application/json", maxBody: 100 };
  const server = await AwsServer.start({ ...options, now }, async () => ({ status: 200, body: await answer() }));
  const client = new SecretsManagerClient({
    region,
    endpoint: server.url,
    credentials: iam.administrator,
    maxAttempts: 1,
  });
  try {
    return (await client.send(new GetSecretValueCommand({ SecretId: "s" }))).SecretString;
  } finally {
    client.destroy();
    await server.close();
    rmSync(directory, { recursive: true });
  }
}

test.each([0, 14, -14])("accepts a signature that is %i minutes off", async (minutes) => {
  expect(await readWith(minutes, async () => '{"SecretString":"v"}')).toBe("v");
});

test.each([16, -16])("refuses a signature that is %i minutes off", async (minutes) => {
  await expect(readWith(minutes, async () => "{}")).rejects.toMatchObject({
    name: "InvalidSignatureException",
    message: expect.stringContaining("Signature expired"),
  });
});

test("answers an error of the program with a 500 without details, and prints the details on the terminal", async () => {
  const terminal = vi.spyOn(console, "error").mockImplementation(() => {});
  onTestFinished(() => terminal.mockRestore());
  const failing = readWith(0, () => Promise.reject(new Error("the password is hunter2")));
  await expect(failing).rejects.toMatchObject({
    name: "InternalServiceError",
    message: "An error occurred on the server side.",
    $metadata: { httpStatusCode: 500 },
  });
  const error = expect.objectContaining({ message: "the password is hunter2" });
  expect(terminal.mock.calls).toEqual([["The local secretsmanager endpoint failed:", error]]);
});
