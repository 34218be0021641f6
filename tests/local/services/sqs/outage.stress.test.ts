/** The whole program with `registration.buffer` on, while MySQL is down: confirmations work, and no row is lost. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CognitoIdentityProviderClient,
  ConfirmSignUpCommand,
  SignUpCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { GetQueueAttributesCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Outputs } from "../../../../cli/localOutputs";
import type * as host from "../../../../host/program";
import type { ResourceRegistration } from "../../../../host/resources";
import type * as config from "../../../../host/stackConfig";
import type * as folders from "../../../../local/lib/dataFolder";
import type * as existing from "../../../../local/mysql/existingServer";
import type * as mysqls from "../../../../local/services/rds/MySql";
import type * as systems from "../../../../local/start/startServices";
import { startTestServer, type TestServer } from "../../../support/mysql";
import { loadNatively, projectRoot } from "../../../support/native";
import { until } from "../lambda/support";

const queueType = "aws:sqs/queue:Queue";
const directory = mkdtempSync(join(tmpdir(), "ecommerce-buffer-"));
const password = "Aa1!outage-test";
let server: TestServer;
let folder: folders.DataFolder;
let services: systems.LocalServices;
let outputs: Outputs;
let cognito: CognitoIdentityProviderClient;
let sqs: SQSClient;
/** URLs by logical name. */
const queues: Record<string, string> = {};

beforeAll(async () => {
  server = await startTestServer();
  const { DataFolder } = loadNatively<typeof folders>("local/lib/dataFolder.ts");
  const { evaluate } = loadNatively<typeof host>("host/program.ts");
  const { stackConfig } = loadNatively<typeof config>("host/stackConfig.ts");
  const { existingServer } = loadNatively<typeof existing>("local/mysql/existingServer.ts");
  const { MySql } = loadNatively<typeof mysqls>("local/services/rds/MySql.ts");
  const { startServices } = loadNatively<typeof systems>("local/start/startServices.ts");
  folder = await DataFolder.open(directory);
  const found = await existingServer(`mysql://${server.user}:${server.password}@localhost:${server.port}`);
  const source = { kind: "server", server: found, description: found.origin } as const;
  services = await startServices(folder, "us-east-1", undefined, (context) => MySql.start(context, async () => source));
  const values = stackConfig(projectRoot, "dev", ["registration.buffer=true"]);
  const evaluated = await evaluate({
    stack: "dev",
    values,
    environment: services.environment,
    make: async (resource) => {
      const made = await services.make(hurried(resource));
      if (resource.type === queueType) queues[resource.name] = made.id;
      return made;
    },
  });
  outputs = await services.finish(evaluated.outputs);
  const { region, accessKeyId, secretAccessKey } = outputs;
  const credentials = { accessKeyId, secretAccessKey };
  cognito = new CognitoIdentityProviderClient({ region, credentials, endpoint: outputs.cognitoEndpoint });
  const endpoint = new URL(queues["registration-buffer-queue"]!).origin;
  sqs = new SQSClient({ region, credentials, endpoint });
});

afterAll(async () => {
  cognito?.destroy();
  sqs?.destroy();
  await services?.close();
  await folder?.close();
  await server?.dispose();
  rmSync(directory, { recursive: true, force: true });
});

/** The program's own settings with shorter waits: messages are visible again after 2 s, and dead after 12 receives. */
function hurried(resource: ResourceRegistration): ResourceRegistration {
  const { type, name, inputs } = resource;
  if (type === "aws:lambda/function:Function" && name === "register-user") {
    return { ...resource, inputs: { ...inputs, timeout: 2 } };
  }
  if (type !== queueType || inputs.redrivePolicy === undefined) return resource;
  const redrivePolicy = JSON.stringify({ ...JSON.parse(String(inputs.redrivePolicy)), maxReceiveCount: 12 });
  return { ...resource, inputs: { ...inputs, redrivePolicy, visibilityTimeoutSeconds: 2 } };
}

/** Signs a person up and reads the code in their mail. */
async function signedUp(name: string): Promise<{ email: string; sub: string; code: string }> {
  const email = `${name}@example.com`;
  const ClientId = outputs.userPoolClientId;
  const { UserSub } = await cognito.send(new SignUpCommand({ ClientId, Username: email, Password: password }));
  const mails = (await (await fetch(outputs.mailbox)).json()) as { to: string; code: string }[];
  return { email, sub: UserSub!, code: mails.find(({ to }) => to === email)!.code };
}
const confirm = ({ email, code }: { email: string; code: string }) =>
  cognito.send(
    new ConfirmSignUpCommand({ ClientId: outputs.userPoolClientId, Username: email, ConfirmationCode: code }),
  );

async function query(sql: string, values: unknown[] = []): Promise<RowDataPacket[]> {
  const { port, user, password: secret } = server;
  const ssl = { rejectUnauthorized: false };
  const connection = await createConnection({ host: "localhost", port, user, password: secret, ssl, timezone: "Z" });
  try {
    return (await connection.query<RowDataPacket[]>(sql, values))[0];
  } finally {
    await connection.end();
  }
}
const rowOf = (sub: string) => query("SELECT * FROM ecommerce_db.users WHERE User_UUID = ?", [sub]);

/** The number of messages in a queue, visible or not. */
async function messagesIn(name: string): Promise<number> {
  const QueueUrl = queues[`registration-buffer-${name}`];
  const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] });
  const { Attributes = {} } = await sqs.send(command);
  return Number(Attributes.ApproximateNumberOfMessages) + Number(Attributes.ApproximateNumberOfMessagesNotVisible);
}

test("twenty people confirm while MySQL is down, and each gets one row; an unreadable message becomes a dead letter", async () => {
  // Another account's row has the address of a person who is about to confirm.
  const taken = await signedUp("taken");
  await query("INSERT INTO ecommerce_db.users (User_UUID, User_Email, User_DateAdd) VALUES (UUID(), ?, '2026-01-01')", [
    taken.email,
  ]);
  await confirm(taken);
  const people = [];
  for (let i = 0; i < 20; i++) people.push(await signedUp(`person-${i}`));
  await until(async () => (await messagesIn("queue")) === 0);

  await server.stop();
  const down = Date.now();
  for (let i = 0; i < people.length; i += 5) await Promise.all(people.slice(i, i + 5).map(confirm));
  const QueueUrl = queues["registration-buffer-queue"];
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "not a confirmation" }));
  await until(async () => (await messagesIn("queue")) === 21);
  await until(() => logOf("register-user").some((line) => line.includes("DATABASE_UNAVAILABLE")));
  const confirmed = Date.now();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await server.start();
  const up = Date.now();

  await until(async () => (await messagesIn("queue")) === 0);
  for (const { sub, email } of people) {
    const rows = await rowOf(sub);
    expect(rows).toMatchObject([{ User_Email: email }]);
    const added = rows[0]!.User_DateAdd.getTime();
    expect(added).toBeGreaterThanOrEqual(down - 1000);
    expect(added).toBeLessThanOrEqual(confirmed);
  }
  expect(up - confirmed).toBeGreaterThan(1000);
  expect((await query("SELECT COUNT(*) AS n FROM ecommerce_db.users"))[0]!.n).toBe(21);

  // The conflict is in the log once and is not tried again; the row of the other account is unchanged.
  expect(await rowOf(taken.sub)).toEqual([]);
  const conflicts = logOf("register-user").filter((line) => line.includes("EMAIL_CONFLICT"));
  expect(conflicts.map((line) => JSON.parse(line).level)).toEqual(["ERROR"]);
  const dead = queues["registration-buffer-dead-letters"];
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: dead, MaxNumberOfMessages: 10 }));
  expect(Messages.map(({ Body }) => Body)).toEqual(["not a confirmation"]);
});

function logOf(name: string): string[] {
  const logs = join(directory, "logs");
  const file = readdirSync(logs).find((one) => one.startsWith(name))!;
  return readFileSync(join(logs, file), "utf8").trimEnd().split("\n");
}
