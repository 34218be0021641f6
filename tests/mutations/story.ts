/** What a person and a browser do with the running system, from outside, step by step; the first that fails is told. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import {
  CognitoIdentityProviderClient,
  ConfirmSignUpCommand,
  SignUpCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import type { Outputs } from "../../cli/localOutputs";
import { Browser } from "../local/services/managed-login/browser";

/** The stack's own settings, which a client of the system knows by itself. */
export interface Known {
  readonly callbackUrl: string;
  readonly corsOrigin: string;
}

const password = "Correct-horse-1";
/** No UTF-8 text, so that a conversion to text and back shows. */
const picture = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0x00, 0x80, 0xc3]), randomBytes(2_000)]);
const key = "a picture.jpg";

/** What one step leaves for the next. */
interface Told {
  email: string;
  sub: string;
  code: string;
  token: string;
}

class Person {
  readonly told: Partial<Told> = {};

  constructor(
    readonly system: Outputs,
    readonly known: Known,
    readonly cognito: CognitoIdentityProviderClient,
  ) {}

  /** A request to the API, for an object of the bucket; with the access token unless told otherwise. */
  async api(path: string, init: RequestInit = {}, token = this.told.token) {
    const headers = { ...(token ? { authorization: token } : {}), ...(init.headers as object) };
    const response = await fetch(`${this.system.apiUrl}/${this.system.bucketName}/${path}`, { ...init, headers });
    return { status: response.status, headers: response.headers, body: Buffer.from(await response.arrayBuffer()) };
  }

  bucket(init: RequestInit = {}, path = encodeURIComponent(key)) {
    return fetch(`${this.system.bucketUrl}/${path}`, init);
  }

  mayRead(headers: Headers) {
    assert.equal(headers.get("access-control-allow-origin"), this.known.corsOrigin, "Access-Control-Allow-Origin");
  }
}

const steps = {
  "sign-up": async ({ told, system, cognito }: Person) => {
    told.email = `ada-${randomBytes(4).toString("hex")}@example.com`;
    const input = { ClientId: system.userPoolClientId, Username: told.email, Password: password };
    told.sub = (await cognito.send(new SignUpCommand(input))).UserSub!;
  },
  "address too long": async ({ system, cognito }: Person) => {
    const Username = `${"a".repeat(101 - "@example.com".length)}@example.com`;
    const input = { ClientId: system.userPoolClientId, Username, Password: password };
    await assert.rejects(cognito.send(new SignUpCommand(input)), { name: "InvalidParameterException" });
  },
  mail: async ({ told, system }: Person) => {
    const mails = (await (await fetch(system.mailbox)).json()) as { to: string; body: string }[];
    const mail = mails.find(({ to }) => to === told.email);
    assert.ok(mail, `no mail to ${told.email}`);
    told.code = /\b\d{6}\b/.exec(mail.body)?.[0];
  },
  confirmation: async ({ told, system, cognito }: Person) => {
    const input = { ClientId: system.userPoolClientId, Username: told.email, ConfirmationCode: told.code };
    await cognito.send(new ConfirmSignUpCommand(input));
  },
  row: async ({ told, system: { mysql, authorityFile } }: Person) => {
    const ssl = { ca: await readFile(authorityFile, "utf8"), verifyIdentity: true };
    const connection = await createConnection({ ...mysql, ssl });
    try {
      const [rows] = await connection.query<RowDataPacket[]>("SELECT User_UUID, User_Email FROM ecommerce_db.users");
      assert.deepEqual(
        rows.map((row) => ({ ...row })),
        [{ User_UUID: told.sub, User_Email: told.email }],
      );
    } finally {
      await connection.end();
    }
  },
  "sign-in": async ({ told, system, known }: Person) => {
    const pages = new Browser(new URL(system.signInUrl).origin);
    const verifier = randomBytes(32).toString("base64url");
    const client = { client_id: system.userPoolClientId, redirect_uri: known.callbackUrl };
    const query = new URLSearchParams({
      ...client,
      response_type: "code",
      scope: "openid aws.cognito.signin.user.admin",
      code_challenge: createHash("sha256").update(verifier).digest("base64url"),
      code_challenge_method: "S256",
    });
    const away = await pages.open(`/oauth2/authorize?${query}`);
    assert.ok(away.startsWith(pages.home), `sent to ${away}`);
    assert.equal(pages.status, 200, pages.title);
    // People write their address as they like.
    const back = await pages.submit("/login", { username: told.email!.toUpperCase(), password });
    const code = new URL(back).searchParams.get("code");
    assert.ok(code && back.startsWith(known.callbackUrl), `no code, but ${pages.message ?? back}`);
    const fields = { ...client, grant_type: "authorization_code", code, code_verifier: verifier };
    const response = await fetch(`${pages.home}/oauth2/token`, { method: "POST", body: new URLSearchParams(fields) });
    assert.equal(response.status, 200, "status of /oauth2/token");
    told.token = ((await response.json()) as { access_token: string }).access_token;
    const claims = JSON.parse(Buffer.from(told.token.split(".")[1]!, "base64url").toString()) as { scope: string };
    assert.match(claims.scope, /\bopenid\b/);
  },
  preflight: async (person: Person) => {
    const asked = { "access-control-request-method": "PUT", "access-control-request-headers": "authorization" };
    const { status, headers } = await person.api(encodeURIComponent(key), { method: "OPTIONS", headers: asked }, "");
    assert.equal(status, 200);
    person.mayRead(headers);
    assert.match(headers.get("access-control-allow-methods") ?? "", /\bPUT\b/);
    assert.match(headers.get("access-control-allow-headers") ?? "", /\bauthorization\b/i);
  },
  upload: async (person: Person) => {
    const init = { method: "PUT", headers: { "content-type": "image/jpeg" }, body: picture };
    const { status, headers, body } = await person.api(encodeURIComponent(key), init);
    assert.equal(status, 200, String(body));
    person.mayRead(headers);
  },
  "public picture": async (person: Person) => {
    const response = await person.bucket();
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "image/jpeg");
    assert.ok(picture.equals(Buffer.from(await response.arrayBuffer())), "other bytes than were sent");
  },
  download: async (person: Person) => {
    // A browser's Accept for a picture begins with a type that the API does not list.
    const accept = { headers: { accept: "image/avif,image/webp,*/*" } };
    const { status, headers, body } = await person.api(encodeURIComponent(key), accept);
    assert.equal(status, 200, String(body));
    assert.equal(headers.get("content-type"), "image/jpeg");
    person.mayRead(headers);
    assert.ok(picture.equals(body), "other bytes than were sent");
  },
  "another type": async (person: Person) => {
    const init = { method: "PUT", headers: { "content-type": "image/webp" }, body: picture };
    assert.equal((await person.api(encodeURIComponent(key), init)).status, 200);
    const response = await person.bucket();
    assert.equal(response.headers.get("content-type"), "image/webp");
    assert.ok(picture.equals(Buffer.from(await response.arrayBuffer())), "other bytes than were sent");
  },
  "missing picture": async (person: Person) => {
    const { status, headers, body } = await person.api("none.jpg");
    assert.equal(status, 403);
    assert.match(String(body), /<Code>AccessDenied<\/Code>/);
    person.mayRead(headers);
  },
  "no token": async (person: Person) => {
    const init = { method: "PUT", headers: { "content-type": "image/jpeg" }, body: picture };
    const { status, headers } = await person.api(encodeURIComponent(key), init, "");
    assert.equal(status, 401);
    person.mayRead(headers);
  },
  "nothing but reading": async (person: Person) => {
    assert.equal((await person.bucket({ method: "PUT", body: "x" })).status, 403, "an upload by anyone");
    assert.equal((await person.bucket({}, "?list-type=2")).status, 403, "a list for anyone");
  },
} as const;

export type Step = keyof typeof steps;

export interface Failure {
  readonly step: Step;
  readonly message: string;
}

/** @returns the first step that fails and why; undefined where the whole story comes true */
export async function tell(system: Outputs, known: Known): Promise<Failure | undefined> {
  const { region, cognitoEndpoint: endpoint, accessKeyId, secretAccessKey } = system;
  const cognito = new CognitoIdentityProviderClient({
    region,
    endpoint,
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 1,
  });
  const person = new Person(system, known, cognito);
  try {
    for (const [step, does] of Object.entries(steps) as [Step, (person: Person) => Promise<void>][]) {
      try {
        await does(person);
      } catch (error) {
        const { name, message } = error as Error;
        return { step, message: `${name}: ${message}` };
      }
    }
    return undefined;
  } finally {
    cognito.destroy();
  }
}
