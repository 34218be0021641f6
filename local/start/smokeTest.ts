import { randomBytes } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import {
  CognitoIdentityProviderClient,
  ConfirmSignUpCommand,
  SignUpCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import type { Outputs } from "../../cli/localOutputs";
import { rowOf } from "./usersTable";

const rowMilliseconds = 10_000;

export interface SmokeTest {
  readonly email: string;
  readonly sub: string;
  /** The person's row of `users`, as MySQL gives it. */
  readonly row: Readonly<Record<string, unknown>>;
}

/**
 * Shows that the system works: signs one person up as any client would, confirms with the code from the mail, and
 * reads the row that the function made.
 *
 * @throws Error naming the step that failed
 */
export async function runSmokeTest(outputs: Outputs): Promise<SmokeTest> {
  const email = `proof-${new Date().toISOString().replace(/[:.]/g, "-").toLowerCase()}@example.com`;
  const cognito = new CognitoIdentityProviderClient({
    region: outputs.region,
    endpoint: outputs.cognitoEndpoint,
    credentials: { accessKeyId: outputs.accessKeyId, secretAccessKey: outputs.secretAccessKey },
  });
  try {
    const password = `Aa1!${randomBytes(12).toString("hex")}`;
    const client = { ClientId: outputs.userPoolClientId, Username: email };
    const { UserSub: sub } = await step("sign-up", cognito.send(new SignUpCommand({ ...client, Password: password })));
    const code = await step("the mail with the code", codeFor(email, outputs.mailbox));
    await step("confirmation", cognito.send(new ConfirmSignUpCommand({ ...client, ConfirmationCode: code })));
    const row = await step("the row in MySQL", rowThere(sub!, outputs));
    return { email, sub: sub!, row };
  } finally {
    cognito.destroy();
  }
}

async function step<T>(name: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw new Error(`The proof failed at ${name}: ${(cause as Error).message}`, { cause });
  }
}

async function codeFor(email: string, mailbox: string): Promise<string> {
  const response = await fetch(mailbox, { signal: AbortSignal.timeout(5_000) });
  const mails = (await response.json()) as { to: string; code: string }[];
  const mail = mails.find(({ to }) => to === email);
  if (!mail) throw new Error(`no mail to ${email} in ${mailbox}`);
  return mail.code;
}

/** There at once; a moment later where `registration.buffer` puts a queue before the database. */
async function rowThere(sub: string, outputs: Outputs): Promise<Record<string, unknown>> {
  const latest = performance.now() + rowMilliseconds;
  for (;;) {
    const row = await rowOf(sub, outputs);
    if (row !== undefined) return row;
    if (performance.now() > latest)
      throw new Error(`there is none for ${sub} in users after ${rowMilliseconds / 1000} s`);
    await setTimeout(100);
  }
}
