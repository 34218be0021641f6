import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CommandError } from "../../../../cli/commandError";
import { freePort } from "../../../../cli/ports";
import type { ServiceContext } from "../../../../local/lib/service";
import { type Credentials, Iam } from "../../../../local/services/iam/iam";
import { SecretsManager } from "../../../../local/services/secretsmanager/secretsManager";

const region = "eu-west-1";
const accountId = "111122223333";
const SecretId = "ecommerce_secret";
let context: ServiceContext;
let iam: Iam;
let secrets: SecretsManager;
let clients: SecretsManagerClient[];

beforeEach(async () => {
  const directory = mkdtempSync(join(tmpdir(), "secrets-"));
  const port = await freePort();
  context = { directory, region, accountId, port: async () => port, info: () => {} };
  clients = [];
  await start();
});
afterEach(async () => {
  await stop();
  rmSync(context.directory, { recursive: true });
});

async function start(): Promise<void> {
  iam = new Iam(context);
  secrets = await SecretsManager.start(context, iam);
}
async function stop(): Promise<void> {
  for (const client of clients.splice(0)) client.destroy();
  await secrets.close();
  await secrets.close();
}
function client(credentials: Credentials = iam.administrator, at = region): SecretsManagerClient {
  const created = new SecretsManagerClient({ region: at, endpoint: secrets.endpoint, credentials, maxAttempts: 1 });
  clients.push(created);
  return created;
}
const make = async (type: string, name: string, inputs: Record<string, unknown>) =>
  (await secrets.handlers[type]!({ type, name, inputs })).outputs as Record<string, string>;
const makeSecret = (inputs = {}) => make("aws:secretsmanager/secret:Secret", "secret", { name: SecretId, ...inputs });
const makeVersion = (secretString: string, more = {}) =>
  make("aws:secretsmanager/secretVersion:SecretVersion", "version", { secretId: SecretId, secretString, ...more });
const read = (more = {}, from = client()) => from.send(new GetSecretValueCommand({ SecretId, ...more }));
async function roleThatMay(statement: object): Promise<Credentials> {
  const allow = { Version: "2012-10-17", Statement: [{ Effect: "Allow", ...statement }] };
  const trust = { Action: "sts:AssumeRole", Principal: { Service: "lambda.amazonaws.com" }, Effect: "Allow" };
  const { outputs } = await iam.handlers["aws:iam/role:Role"]!({
    type: "aws:iam/role:Role",
    name: "reader",
    inputs: { assumeRolePolicy: { Statement: [trust] }, inlinePolicies: [{ name: "p", policy: allow }] },
  });
  return iam.credentialsFor(outputs.arn as string);
}

describe("a secret of the program", () => {
  test("is read by the SDK, by name, ARN and ARN without its suffix", async () => {
    const { arn } = await makeSecret();
    const { versionId } = await makeVersion('{"password":"p"}');
    expect(arn).toMatch(/^arn:aws:secretsmanager:eu-west-1:111122223333:secret:ecommerce_secret-[A-Za-z]{6}$/);
    for (const id of [SecretId, arn, arn!.slice(0, -7)]) {
      expect(await read({ SecretId: id })).toMatchObject({
        ARN: arn,
        Name: SecretId,
        SecretString: '{"password":"p"}',
        VersionId: versionId,
        VersionStages: ["AWSCURRENT"],
      });
    }
    expect((await read()).CreatedDate!.getTime()).toBeGreaterThan(Date.now() - 60_000);
  });

  test("may be binary", async () => {
    await makeSecret();
    const bytes = Uint8Array.from([0, 255, 1]);
    await makeVersion(undefined as any, { secretBinary: Buffer.from(bytes).toString("base64") });
    expect(Uint8Array.from((await read()).SecretBinary!)).toEqual(bytes);
  });

  test("cannot be read if it is missing, has no value yet, or was removed from the program", async () => {
    const missing = { name: "ResourceNotFoundException" };
    await expect(read()).rejects.toMatchObject({
      ...missing,
      message: "Secrets Manager can't find the specified secret.",
    });
    await makeSecret();
    await expect(read()).rejects.toMatchObject({
      ...missing,
      message: "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
    });
    await makeVersion("v");
    await expect(read({ VersionId: "0".repeat(32) })).rejects.toMatchObject(missing);
    await expect(read({ VersionStage: "AWSPENDING" })).rejects.toMatchObject(missing);
    await expect(read({ VersionId: "__proto__" })).rejects.toMatchObject(missing);
    await stop();
    await start();
    await expect(read()).rejects.toMatchObject(missing);
  });

  test("refuses wrong inputs and names them", async () => {
    await expect(makeSecret({ name: "a b" })).rejects.toThrow(/its name is "a b"/);
    await expect(makeVersion("v")).rejects.toThrow(/no secret "ecommerce_secret"/);
    await makeSecret();
    await expect(makeVersion(undefined as any)).rejects.toThrow(/either secretString or secretBinary/);
  });
});

describe("starting again", () => {
  const restart = async (value: string) => {
    await stop();
    await start();
    return { ...(await makeSecret()), ...(await makeVersion(value)) };
  };

  test("changes nothing if the program is unchanged", async () => {
    const first = { ...(await makeSecret()), ...(await makeVersion("v")) };
    expect(await restart("v")).toEqual(first);
  });

  test("with a changed value makes it the current one, and the old value the previous one", async () => {
    await makeSecret();
    const { versionId } = await makeVersion("old");
    await restart("new");
    expect(await read()).toMatchObject({ SecretString: "new" });
    expect(await read({ VersionStage: "AWSPREVIOUS" })).toMatchObject({ SecretString: "old", VersionId: versionId });
  });

  test("keeps the value of a rotation until the program's value changes", async () => {
    await makeSecret();
    await makeVersion("v");
    await client().send(new PutSecretValueCommand({ SecretId, SecretString: "rotated" }));
    await restart("v");
    expect((await read()).SecretString).toBe("rotated");
    await restart("w");
    expect((await read()).SecretString).toBe("w");
  });

  test("reads a file that only its owner may read, and refuses a damaged one", async () => {
    await makeSecret();
    await makeVersion("v");
    const folder = join(context.directory, "secrets");
    expect(readdirSync(folder)).toEqual(["secrets.json"]);
    expect(statSync(join(folder, "secrets.json")).mode & 0o777).toBe(0o600);
    await stop();
    writeFileSync(join(folder, "secrets.json"), "{");
    const refused = SecretsManager.start(context, iam);
    await expect(refused).rejects.toThrow(/secrets\.json is damaged.*--reset/);
    await expect(refused).rejects.toThrow(CommandError);
  });
});

describe("rotation", () => {
  const pending = "1".repeat(32);

  test("follows the standard function: put pending, move current, the old value becomes the previous one", async () => {
    await makeSecret();
    const { versionId } = await makeVersion("old");
    const put = { SecretId, ClientRequestToken: pending, SecretString: "new", VersionStages: ["AWSPENDING"] };
    await client().send(new PutSecretValueCommand(put));
    await client().send(new PutSecretValueCommand(put)); // a retry of the same step
    expect((await read()).SecretString).toBe("old");
    expect((await read({ VersionStage: "AWSPENDING" })).SecretString).toBe("new");
    const move = { SecretId, VersionStage: "AWSCURRENT", MoveToVersionId: pending };
    await expect(client().send(new UpdateSecretVersionStageCommand(move))).rejects.toMatchObject({
      name: "InvalidParameterException",
      message: expect.stringContaining(`attached to version ${versionId}`),
    });
    await client().send(new UpdateSecretVersionStageCommand({ ...move, RemoveFromVersionId: versionId }));
    expect((await read()).SecretString).toBe("new");
    expect((await client().send(new DescribeSecretCommand({ SecretId }))).VersionIdsToStages).toEqual({
      [versionId!]: ["AWSPREVIOUS"],
      [pending]: ["AWSPENDING", "AWSCURRENT"],
    });
  });

  test("is refused for labels that are not where the request says, and for tokens of another value", async () => {
    await makeSecret();
    const { versionId } = await makeVersion("v");
    const put = { SecretId, ClientRequestToken: pending, SecretString: "a" };
    await client().send(new PutSecretValueCommand(put));
    const send = (command: any) => client().send(command);
    await expect(send(new PutSecretValueCommand({ ...put, SecretString: "b" }))).rejects.toMatchObject({
      name: "ResourceExistsException",
    });
    const update = (more: object) => send(new UpdateSecretVersionStageCommand({ SecretId, ...more } as any));
    const invalid = { name: "InvalidParameterException" };
    await expect(update({ VersionStage: "AWSCURRENT", RemoveFromVersionId: pending })).rejects.toMatchObject(invalid);
    await expect(update({ VersionStage: "AWSCURRENT", RemoveFromVersionId: versionId })).rejects.toMatchObject(invalid);
    await expect(update({ VersionStage: "X" })).rejects.toMatchObject(invalid);
    await expect(update({ VersionStage: "X", MoveToVersionId: "2".repeat(32) })).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
    await expect(send(new PutSecretValueCommand({ SecretId }))).rejects.toMatchObject({
      name: "InvalidRequestException",
    });
  });

  test("lists versions without a label on request, and deletes the oldest", async () => {
    await makeSecret();
    await makeVersion("0");
    for (let i = 1; i <= 120; i++)
      await client().send(new PutSecretValueCommand({ SecretId, SecretString: String(i) }));
    const list = async (IncludeDeprecated: boolean) =>
      (await client().send(new ListSecretVersionIdsCommand({ SecretId, IncludeDeprecated }))).Versions!.length;
    expect([await list(false), await list(true)]).toEqual([2, 100]);
    await makeVersion("0");
    expect((await read()).SecretString).toBe("120");
  });
});

describe("permissions", () => {
  test("a role may do only what its policies allow on this secret", async () => {
    const { arn } = await makeSecret();
    await makeVersion("v");
    const credentials = await roleThatMay({ Action: "secretsmanager:GetSecretValue", Resource: arn });
    expect((await read({}, client(credentials))).SecretString).toBe("v");
    const denied = { name: "AccessDeniedException" };
    const put = new PutSecretValueCommand({ SecretId, SecretString: "w" });
    await expect(client(credentials).send(put)).rejects.toMatchObject({
      ...denied,
      message: expect.stringMatching(
        /^User: arn:aws:iam::111122223333:role\/reader-.* is not authorized to perform: secretsmanager:PutSecretValue on resource: arn:.*-[A-Za-z]{6} because no identity-based policy allows/,
      ),
    });
    await expect(read({ SecretId: "other" }, client(credentials))).rejects.toMatchObject(denied);
    const elsewhere = await roleThatMay({ Action: "secretsmanager:*", Resource: arn!.replace("ecommerce", "x") });
    await expect(read({}, client(elsewhere))).rejects.toMatchObject(denied);
  });

  test("a request without the right signature is refused", async () => {
    await makeSecret();
    await makeVersion("v");
    const { accessKeyId, secretAccessKey } = iam.administrator;
    // A key that this machine did not issue counts as the administrator's.
    await expect(read({}, client({ accessKeyId: "AKIA", secretAccessKey }))).resolves.toMatchObject({
      SecretString: "v",
    });
    const signature = { name: "InvalidSignatureException" };
    await expect(read({}, client({ accessKeyId, secretAccessKey: "x" }))).rejects.toMatchObject(signature);
    await expect(read({}, client(iam.administrator, "us-east-1"))).rejects.toMatchObject(signature);
    const response = await fetch(secrets.endpoint, { method: "POST", body: "{}" });
    expect([response.status, ((await response.json()) as any).__type]).toEqual([
      400,
      "MissingAuthenticationTokenException",
    ]);
  });

  test("a signature covers the body and expires", async () => {
    await makeSecret();
    await makeVersion("v");
    const captured = await capture();
    const replay = async (change: object) => {
      const response = await fetch(secrets.endpoint, { method: "POST", ...captured, ...change });
      return [response.status, ((await response.json()) as any).__type];
    };
    expect(await replay({})).toEqual([200, undefined]);
    expect(await replay({ body: '{"SecretId":"other"}' })).toEqual([403, "InvalidSignatureException"]);
    const headers = { ...captured.headers, "x-amz-date": "20200101T000000Z" };
    expect(await replay({ headers })).toEqual([403, "InvalidSignatureException"]);
  });

  /** The SDK's request for one read, so that a test can send it again with changes. */
  async function capture(): Promise<{ headers: Record<string, string>; body: string }> {
    const from = client();
    let sent: any;
    const keep = (next: any) => (args: any) => {
      sent = args.request;
      return next(args);
    };
    from.middlewareStack.addRelativeTo(keep, { relation: "after", toMiddleware: "httpSigningMiddleware" });
    await read({}, from);
    const { host: _host, "content-length": _length, ...headers } = sent.headers;
    return { headers, body: sent.body };
  }
});

test("an unknown operation, a body that is not JSON and a body that is too long each get their error", async () => {
  const sendRaw = (change: (request: any) => void) => {
    const changed = client();
    const before = (next: any) => (args: any) => {
      change(args.request);
      args.request.headers["content-length"] = String(Buffer.byteLength(args.request.body));
      return next(args);
    };
    changed.middlewareStack.add(before, { step: "build", priority: "low" });
    return changed.send(new GetSecretValueCommand({ SecretId }));
  };
  await expect(
    sendRaw((r) => Object.assign(r.headers, { "x-amz-target": "secretsmanager.toString" })),
  ).rejects.toMatchObject({
    name: "UnknownOperationException",
  });
  await expect(sendRaw((r) => Object.assign(r, { body: "[1]" }))).rejects.toMatchObject({
    name: "SerializationException",
  });
  await expect(sendRaw((r) => Object.assign(r, { body: "{not json, a secret" }))).rejects.not.toMatchObject({
    message: expect.stringContaining("a secret"),
  });
  await expect(client().send(new GetSecretValueCommand({ SecretId: "a".repeat(2 ** 20) }))).rejects.toMatchObject({
    name: "RequestTooLargeException",
  });
});

test("a port that is in use is reported", async () => {
  await expect(SecretsManager.start(context, iam)).rejects.toThrow(
    /Port \d+ on 127\.0\.0\.1 \(secretsmanager\) is taken/,
  );
});
