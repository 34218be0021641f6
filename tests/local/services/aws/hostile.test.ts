import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { TimeLimits } from "../../../../cli/http";
import { type AwsCall, AwsServer } from "../../../../local/services/aws/awsServer";
import { Iam } from "../../../../local/services/iam/iam";
import { hugeHeader, manyHeaders, raw, shortLimits, slowHeaders, trickle } from "../../../support/wire";
import { exchange } from "../s3/exchange";

const directory = mkdtempSync(join(tmpdir(), "aws-server-"));
const iam = new Iam({ directory, accountId: "111122223333" });
const region = "eu-west-1";
/** The calls that reached the service. */
const calls: AwsCall[] = [];
let server: AwsServer;
let brief: AwsServer;

const start = (limits?: TimeLimits) =>
  AwsServer.start(
    {
      service: "secretsmanager",
      region,
      port: 0,
      iam,
      contentType: "application/x-amz-json-1.1",
      maxBody: 1000,
      limits,
    },
    async (call) => {
      calls.push(call);
      return { status: 200, body: '{"SecretString":"v"}' };
    },
  );

const terminal = vi.spyOn(console, "error");
beforeAll(async () => {
  server = await start();
  brief = await start(shortLimits);
});
afterEach(() => {
  calls.length = 0;
});
afterAll(async () => {
  expect(terminal.mock.calls).toEqual([]);
  await server.close();
  await brief.close();
  rmSync(directory, { recursive: true });
});

/** Signed with a key that this machine did not issue, as the tools of its user may sign. */
const own = { authorization: "AWS4-HMAC-SHA256 Credential=X/y" };
const post = (headers: Record<string, string>, body = "{}") =>
  exchange(server.url, "/", { method: "POST", headers: { ...own, ...headers }, body });

describe("requests that a web page could send", () => {
  test.each(["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "127.0.0.1@evil.example", "[::1]"])(
    "to the host %s are refused, because the name of a page's origin may resolve to this machine",
    async (host) => {
      for (const method of ["GET", "POST", "OPTIONS"]) {
        const reply = await exchange(server.url, "/", { method, headers: { ...own, host } });
        expect([reply.status, JSON.parse(reply.text)]).toEqual([
          403,
          {
            __type: "AccessDeniedException",
            Message: `The request names the host "${host}"; allowed: 127.0.0.1 and localhost, as in the printed URLs.`,
          },
        ]);
      }
      expect(calls).toEqual([]);
    },
  );

  test.each(["https://evil.example", "http://localhost:5173", "null"])(
    "from the origin %s are refused",
    async (origin) => {
      const reply = await post({ origin });
      expect([reply.status, reply.headers["x-amzn-errortype"]]).toEqual([403, "AccessDeniedException"]);
      expect(JSON.parse(reply.text).Message).toContain(origin);
      const headers = {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization",
      };
      const preflight = await exchange(server.url, "/", { method: "OPTIONS", headers });
      expect(preflight.status).toBe(403);
      expect(Object.keys(preflight.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
      expect(calls).toEqual([]);
    },
  );
});

describe("requests of a user's tools", () => {
  test("to the address or the name of this machine, with any key, are answered", async () => {
    const { port } = new URL(server.url);
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, "localhost"]) {
      expect((await post({ host })).text).toBe('{"SecretString":"v"}');
    }
    expect(calls.map((call) => call.accessKeyId)).toEqual(Array(3).fill(iam.administrator.accessKeyId));
  });

  test.each(["127.0.0.1", "localhost"])("of the SDK to %s, signed for that host, are answered", async (name) => {
    const endpoint = server.url.replace("127.0.0.1", name);
    const client = new SecretsManagerClient({ region, endpoint, credentials: iam.administrator, maxAttempts: 1 });
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: "s" }));
    client.destroy();
    expect(SecretString).toBe("v");
  });
});

describe("slow clients are cut off", () => {
  test.each(slowHeaders)("with %s", async (_, begin, piece) => {
    expect(await trickle(brief.url, begin, piece)).toMatch(/^HTTP\/1\.1 408 [\s\S]*"Message":"Request Timeout"}$/);
  });

  test("with an endless body of few or many bytes", async () => {
    const head = `POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ${own.authorization}\r\n`;
    expect(await trickle(brief.url, `${head}Content-Length: 900\r\n\r\n`, "x")).toMatch(/^HTTP\/1\.1 408 /);
    const chunk = `1000\r\n${"x".repeat(0x1000)}\r\n`;
    expect(await trickle(brief.url, `${head}Transfer-Encoding: chunked\r\n\r\n`, chunk)).toMatch(/^HTTP\/1\.1 408 /);
    expect(calls).toEqual([]);
  });
});

test("huge headers and bodies are refused, and the next request is answered", async () => {
  for (const request of [hugeHeader, manyHeaders]) {
    expect(await raw(server.url, request, 2000)).toMatch(/^HTTP\/1\.1 431 /);
  }
  const large = await post({}, "x".repeat(5_000_000));
  expect([large.status, JSON.parse(large.text).__type]).toEqual([413, "RequestTooLargeException"]);
  expect((await post({})).status).toBe(200);
});

test("any signature, path and date is accepted or refused with AWS's error, and never causes a 500", async () => {
  const part = fc.oneof(
    fc.constantFrom(iam.administrator.accessKeyId, "X", "20260101", region, "secretsmanager", "aws4_request", ""),
    fc.stringMatching(/^[\x20-\x7e]{0,20}$/),
  );
  const authorization = fc
    .tuple(fc.array(part, { maxLength: 6 }), fc.constantFrom("host", "host;x-amz-date", "__proto__", ""), part)
    .map(([scope, signed, signature]) => {
      return `AWS4-HMAC-SHA256 Credential=${scope.join("/")}, SignedHeaders=${signed}, Signature=${signature}`;
    });
  const hash = fc.constant("0".repeat(64));
  const withHash = fc
    .tuple(authorization, hash)
    .map(([header, signature]) => header.replace(/Signature=.*$/, `Signature=${signature}`));
  const date = fc.oneof(fc.constantFrom("20260101T000000Z", "99999999T999999Z", "20260230T250000Z"), part);
  const path = fc.stringMatching(/^\/[\x21-\x7e]{0,30}$/);
  await fc.assert(
    fc.asyncProperty(fc.oneof(authorization, withHash, part), date, path, async (header, sentAt, target) => {
      const headers = { authorization: header, "x-amz-date": sentAt };
      const reply = await exchange(server.url, target, { method: "POST", headers, body: "{}" });
      expect([200, 400, 403]).toContain(reply.status);
      for (const { accessKeyId } of calls.splice(0)) {
        // Only a key that this machine did not issue counts as the administrator's; no request had a valid signature.
        expect(accessKeyId).toBe(iam.administrator.accessKeyId);
        expect(header).not.toContain(`Credential=${iam.administrator.accessKeyId}/`);
      }
    }),
    { numRuns: 300 },
  );
});
