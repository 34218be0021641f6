import { randomBytes } from "node:crypto";
import { renameSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import type { S3 } from "../../../local/objects/operations";
import { exchange, type Reply } from "../objects/exchange";
import { put } from "../objects/store";
import { bucket, type Options, startDocumented } from "./documentedApi";

type Running = Awaited<ReturnType<typeof startDocumented>>;
let api: Running;

afterEach(async () => {
  await api.close();
  api.site.remove();
});

type Change = Record<string, (inputs: Record<string, any>) => Record<string, any> | null>;

/** Starts the documented API with some resources changed: type's last word and name → change. */
async function start(changes: Change, options: Options = {}): Promise<Running> {
  const used = new Set<string>();
  api = await startDocumented({
    ...options,
    change: (type, name, inputs) => {
      const key = `${type.split(":").at(-1)} ${name}`;
      used.add(key);
      return changes[key] ? changes[key](inputs) : inputs;
    },
  });
  expect([...used]).toEqual(expect.arrayContaining(Object.keys(changes)));
  return api;
}

const set = (more: Record<string, unknown>) => (inputs: Record<string, any>) => ({ ...inputs, ...more });
const png = randomBytes(1000);
const send = (method: string, key: string, headers: Record<string, string> = {}, body?: Buffer | string) =>
  exchange(api.url, `/dev/${bucket}/${key}`, {
    method,
    headers: { authorization: api.users.access(), ...headers },
    body,
  });
const putPng = (key = "a.png") => send("PUT", key, { "content-type": "image/png" }, png);
const putByRole = (key: string, body: Buffer) => put(api.store, bucket, key, body, { "content-type": "image/png" });
const message = ({ status, text }: Reply) => [status, JSON.parse(text).message];

describe("the integration acts as its role", () => {
  const policy = (action: string, resource: string) =>
    set({
      policy: {
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action: action, Resource: resource }],
      },
    });

  it("an action that the role's policies do not allow is 403", async () => {
    await start({ "RolePolicy s3-policy": policy("s3:GetObject", `arn:aws:s3:::${bucket}/*`) });
    expect((await putPng()).status).toBe(403);
  });

  it("so is an object that they do not cover", async () => {
    await start({ "RolePolicy s3-policy": policy("s3:*", `arn:aws:s3:::${bucket}/public/*`) });
    expect((await putPng("private.png")).status).toBe(403);
    expect((await putPng("public%2Fa.png")).status).toBe(200);
  });

  it("a role that does not trust API Gateway is a fault of the API", async () => {
    const assumeRolePolicy = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
    });
    await start({ "Role role": set({ assumeRolePolicy }) });
    const reply = await putPng();
    expect(message(reply)).toEqual([500, "Internal server error"]);
    expect(reply.headers["access-control-allow-origin"]).toBe("*");
    expect(api.site.said.join()).toContain("PUT /{bucket_name}/{file_name}: API Gateway does not have permission");
  });

  it("without credentials it is nobody, who may read but not write", async () => {
    await start({
      "Integration PUT": set({ credentials: undefined }),
      "Integration GET": set({ credentials: undefined }),
    });
    expect((await putPng()).status).toBe(403);
    await putByRole("a.png", png);
    expect((await send("GET", "a.png")).body.equals(png)).toBe(true);
  });
});

describe("mappings", () => {
  it("a part of the path that nothing is mapped to is a fault of the API", async () => {
    const requestParameters = { "integration.request.path.bucket": "method.request.path.bucket_name" };
    await start({ "Integration PUT": set({ requestParameters }) });
    expect(message(await putPng())).toEqual([500, "Internal server error"]);
    expect(api.site.said.join()).toContain("nothing is mapped to {key}");
  });

  it("swapped path parameters ask for another bucket", async () => {
    const requestParameters = {
      "integration.request.path.bucket": "method.request.path.file_name",
      "integration.request.path.key": "method.request.path.bucket_name",
    };
    await start({ "Integration PUT": set({ requestParameters }) });
    expect((await putPng()).status).toBe(403);
  });

  it("a Content-Type that is not mapped does not arrive at S3, and one not mapped back is JSON", async () => {
    await start({
      "Integration PUT": ({ requestParameters, ...inputs }) => {
        const { "integration.request.header.Content-Type": _, ...rest } = requestParameters;
        return { ...inputs, requestParameters: rest };
      },
      "IntegrationResponse GET-200": ({ responseParameters: _, contentHandling: __, ...inputs }) => inputs,
    });
    await putPng();
    const stored = await exchange(api.bucketUrl, `/${bucket}/a.png`);
    expect(stored.headers["content-type"]).toBe("application/json");
    expect((await send("GET", "a.png")).headers["content-type"]).toBe("application/json");
  });

  it("claims of the token can be part of the key", async () => {
    await start({
      "Integration PUT": (inputs) => ({
        ...inputs,
        uri: "arn:aws:apigateway:us-east-1:s3:path/{bucket}/{sub}/{key}",
        requestParameters: {
          ...inputs.requestParameters,
          "integration.request.path.sub": "context.authorizer.claims.sub",
        },
      }),
    });
    expect((await putPng()).status).toBe(200);
    expect((await exchange(api.bucketUrl, `/${bucket}/sub-1/a.png`)).body.equals(png)).toBe(true);
  });

  it("query parameters and static values reach the integration's headers, control characters do not", async () => {
    const meta = (name: string) => `integration.request.header.x-amz-meta-${name}`;
    await start({
      "Method PUT": (inputs) => ({
        ...inputs,
        requestParameters: { ...inputs.requestParameters, "method.request.querystring.title": false },
      }),
      "Integration PUT": (inputs) => ({
        ...inputs,
        requestParameters: {
          ...inputs.requestParameters,
          [meta("title")]: "method.request.querystring.title",
          [meta("from")]: "'api'",
        },
      }),
    });
    expect((await send("PUT", "q.png?title=first&title=A%20ship", { "content-type": "image/png" }, png)).status).toBe(
      200,
    );
    const stored = await exchange(api.bucketUrl, `/${bucket}/q.png`);
    expect(stored.headers).toMatchObject({ "x-amz-meta-title": "A ship", "x-amz-meta-from": "api" });
    const injected = await send("PUT", "r.png?title=a%0d%0aSet-Cookie:%20b", { "content-type": "image/png" }, png);
    expect(injected.status).toBe(400);
    expect((await exchange(api.bucketUrl, `/${bucket}/r.png`)).status).toBe(403);
  });

  it("a conditional upload by a static header keeps the first one", async () => {
    await start({
      "Integration PUT": (inputs) => ({
        ...inputs,
        requestParameters: { ...inputs.requestParameters, "integration.request.header.If-None-Match": "'*'" },
      }),
      "IntegrationResponse PUT-400": set({ selectionPattern: "400|412" }),
    });
    expect((await putPng()).status).toBe(200);
    expect((await putPng()).status).toBe(400);
  });
});

describe("payloads", () => {
  const unhandled = { "IntegrationResponse GET-200": set({ contentHandling: undefined }) };
  it.each([
    ["image/png", "bytes"],
    ["image/png;q=0.5, */*", "bytes"],
    ["*/*", "base64"],
    ["text/html, image/png", "base64"],
    [undefined, "base64"],
  ])("without content handling the first type of Accept decides: %s → %s", async (accept, expected) => {
    await start(unhandled);
    await putPng();
    const { body } = await send("GET", "a.png", accept === undefined ? {} : { accept });
    expect(body.equals(expected === "bytes" ? png : Buffer.from(png.toString("base64")))).toBe(true);
  });

  it("without binary types every picture is damaged in both directions", async () => {
    await start({ "RestApi api": set({ binaryMediaTypes: undefined }), ...unhandled });
    await putPng();
    const damaged = Buffer.from(png.toString("utf8"));
    expect((await exchange(api.bucketUrl, `/${bucket}/a.png`)).body.equals(damaged)).toBe(true);
    expect(damaged.equals(png)).toBe(false);
  });

  it("*/* makes everything binary", async () => {
    await start({ "RestApi api": set({ binaryMediaTypes: ["*/*"] }), ...unhandled });
    await send("PUT", "a.bin", { "content-type": "application/pdf" }, png);
    expect((await send("GET", "a.bin")).body.equals(png)).toBe(true);
  });

  it("an error in XML that is asked for as a picture cannot be decoded, unless it is converted to text", async () => {
    await start({ "IntegrationResponse GET-403": set({ contentHandling: undefined }) });
    expect((await send("GET", "missing", { accept: "image/png" })).status).toBe(500);
    expect((await send("GET", "missing", { accept: "text/html" })).status).toBe(403);
  });

  it("CONVERT_TO_TEXT stores Base64, CONVERT_TO_BINARY decodes it", async () => {
    await start({ "Integration PUT": set({ contentHandling: "CONVERT_TO_TEXT" }) });
    await putPng();
    expect((await exchange(api.bucketUrl, `/${bucket}/a.png`)).text).toBe(png.toString("base64"));
    await api.close();
    api.site.remove();
    await start({ "Integration PUT": set({ contentHandling: "CONVERT_TO_BINARY" }) });
    await send("PUT", "b.png", { "content-type": "text/plain" }, png.toString("base64"));
    expect((await exchange(api.bucketUrl, `/${bucket}/b.png`)).body.equals(png)).toBe(true);
    expect((await send("PUT", "c.png", { "content-type": "text/plain" }, "no base64!")).status).toBe(500);
  });

  it("an object of more than 10 MB cannot pass", async () => {
    await start({});
    await putByRole("large", Buffer.alloc(10 * 1024 * 1024 + 1));
    expect((await send("GET", "large")).status).toBe(500);
  });

  it("NEVER refuses a type without a template", async () => {
    await start({ "Integration PUT": set({ passthroughBehavior: "NEVER" }) });
    expect(message(await putPng())).toEqual([415, "Unsupported Media Type"]);
  });
});

describe("responses", () => {
  it("an S3 error that no pattern selects reads as success", async () => {
    await start({
      "IntegrationResponse GET-403": () => null,
      "IntegrationResponse GET-200": set({ contentHandling: undefined }),
    });
    const reply = await send("GET", "missing");
    expect(reply.status).toBe(200);
    expect(reply.text).toContain("<Code>AccessDenied</Code>");
  });

  it("without a default there is no answer to give", async () => {
    await start({ "IntegrationResponse PUT-200": () => null });
    expect(message(await putPng())).toEqual([500, "Internal server error"]);
    expect(api.site.said.join()).toContain("no integration response matches the status 200");
  });

  it("a static response template replaces the body", async () => {
    await start({ "IntegrationResponse PUT-200": set({ responseTemplates: { "text/plain": "stored" } }) });
    const reply = await putPng();
    expect(reply.text).toBe("stored");
  });

  it("gateway responses: own type before the general one, with status, headers and template", async () => {
    await start({
      "Response DEFAULT_5XX": (inputs) => ({
        ...inputs,
        responseType: "UNAUTHORIZED",
        statusCode: "418",
        responseParameters: {
          "gatewayresponse.header.X-Static": "'a, b'",
          "gatewayresponse.header.X-Origin": "method.request.header.Origin",
          "gatewayresponse.header.X-Path": "method.request.path.file_name",
        },
        responseTemplates: {
          "application/problem+json": '{"why":"$context.error.message","type":"$context.error.responseType"}',
        },
      }),
    });
    const headers = { origin: "http://a.test" };
    const reply = await exchange(api.url, `/dev/${bucket}/x%0d%0aSet-Cookie:%20b`, { headers });
    expect(reply.status).toBe(418);
    expect(reply.text).toBe('{"why":"Unauthorized","type":"UNAUTHORIZED"}');
    expect(reply.headers).toMatchObject({
      "content-type": "application/problem+json",
      "x-static": "a, b",
      "x-origin": "http://a.test",
    });
    expect(reply.headers["x-path"]).toBeUndefined();
    expect(reply.headers["set-cookie"]).toBeUndefined();
    expect(reply.headers["access-control-allow-origin"]).toBeUndefined();
  });

  it("without gateway responses errors carry no CORS header", async () => {
    await start({ "Response DEFAULT_4XX": () => null });
    const reply = await exchange(api.url, `/dev/${bucket}/a`, {});
    expect(message(reply)).toEqual([401, "Unauthorized"]);
    expect(reply.headers["access-control-allow-origin"]).toBeUndefined();
  });
});

describe("time", () => {
  const slow =
    (milliseconds: number): Options["s3"] =>
    (store): S3 => ({
      request: async (request) => {
        const reply = await store.request(request);
        await sleep(milliseconds);
        return reply;
      },
    });

  it("an integration that takes longer than its time-out is 504", async () => {
    await start({ "Integration PUT": set({ timeoutMilliseconds: 100 }) }, { s3: slow(400) });
    const reply = await putPng();
    expect(message(reply)).toEqual([504, "Endpoint request timed out"]);
    expect(reply.headers["access-control-allow-origin"]).toBe("*");
    expect((await send("GET", "a.png")).status).toBe(200);
  });

  it("an answer that comes too late is closed", async () => {
    const late: Readable[] = [];
    const watched: Options["s3"] = (store) => ({
      request: async (request) => {
        const reply = await slow(300)!(store).request(request);
        late.push(reply.body as Readable);
        return reply;
      },
    });
    await start({ "Integration GET": set({ timeoutMilliseconds: 50 }) }, { s3: watched });
    await putByRole("a.png", png);
    expect((await send("GET", "a.png")).status).toBe(504);
    await expect.poll(() => late.map(({ destroyed }) => destroyed)).toEqual([true]);
  });

  it("a slow client does not use up the integration's time", async () => {
    await start({ "Integration PUT": set({ timeoutMilliseconds: 100 }) });
    const { request } = await import("node:http");
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { authorization: api.users.access(), "content-type": "image/png", "content-length": 3 };
      const path = `/dev/${bucket}/slow.png`;
      const upload = request({ port: new URL(api.url).port, method: "PUT", path, headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      upload.on("error", reject);
      void (async () => {
        for (const letter of "abc") {
          upload.write(letter);
          await sleep(100);
        }
        upload.end();
      })();
    });
    expect(status).toBe(200);
    expect((await exchange(api.bucketUrl, `/${bucket}/slow.png`)).text).toBe("abc");
  });
});

it("a disk that fails is 500 and a line on the screen, and the gateway stays", async () => {
  await start({});
  const folder = join(api.site.directory, "objects", bucket);
  renameSync(folder, `${folder}-away`);
  expect(message(await putPng())).toEqual([500, "Internal server error"]);
  expect(api.site.said.join()).toContain("a request failed: ENOENT");
  renameSync(`${folder}-away`, folder);
  expect((await putPng()).status).toBe(200);
});

it("a request validator asks for what is required", async () => {
  await start({
    "Method PUT": (inputs) => ({
      ...inputs,
      requestParameters: { ...inputs.requestParameters, "method.request.querystring.title": true },
    }),
  });
  expect((await putPng()).status).toBe(200);
  await api.close();
  api.site.remove();
  let validator: string | undefined;
  api = await startDocumented({
    change: (type, name, inputs) => {
      if (!type.endsWith(":Method") || name !== "PUT") return inputs;
      return {
        ...inputs,
        requestValidatorId: validator,
        requestParameters: { ...inputs.requestParameters, "method.request.querystring.title": true },
      };
    },
    beforeMethods: async (make, restApi) => {
      const made = await make("aws:apigateway/requestValidator:RequestValidator", "validator", {
        restApi: restApi.id,
        name: "parameters",
        validateRequestParameters: true,
        validateRequestBody: false,
      });
      validator = made.id;
    },
  });
  expect(message(await putPng())).toEqual([400, "Missing required request parameters: [title]"]);
  expect((await putPng("a.png?title=x")).status).toBe(200);
});
