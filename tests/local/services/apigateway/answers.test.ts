/** The API's answers with other settings of its responses, with time-outs, and when a disk fails. */
import { renameSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import type { S3 } from "../../../../local/services/s3/operations";
import { exchange } from "../s3/exchange";
import { api, end, message, png, putByRole, putPng, send, set, start, startWith } from "./configuredApi";
import { bucket, type Options } from "./documentedApi";

afterEach(end);

describe("responses", () => {
  it("an S3 error that no pattern selects is 200", async () => {
    await start({
      "IntegrationResponse GET-403": () => null,
      "IntegrationResponse GET-200": set({ contentHandling: undefined }),
    });
    const reply = await send("GET", "missing");
    expect(reply.status).toBe(200);
    expect(reply.text).toContain("<Code>AccessDenied</Code>");
  });

  it("a status without a matching response and without a default is 500", async () => {
    await start({ "IntegrationResponse PUT-200": () => null });
    expect(message(await putPng())).toEqual([500, "Internal server error"]);
    expect(api.context.reported.join()).toContain("no integration response matches the status 200");
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

  it("the body of an answer that comes too late is closed", async () => {
    const late: Readable[] = [];
    const recorded: Options["s3"] = (store) => ({
      request: async (request) => {
        const reply = await slow(300)!(store).request(request);
        late.push(reply.body as Readable);
        return reply;
      },
    });
    await start({ "Integration GET": set({ timeoutMilliseconds: 50 }) }, { s3: recorded });
    await putByRole("a.png", png);
    expect((await send("GET", "a.png")).status).toBe(504);
    await expect.poll(() => late.map(({ destroyed }) => destroyed)).toEqual([true]);
  });

  it("a slow client does not use up the integration's time", async () => {
    await start({ "Integration PUT": set({ timeoutMilliseconds: 1000 }) });
    const { request } = await import("node:http");
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { authorization: api.users.access(), "content-type": "image/png", "content-length": 4 };
      const path = `/dev/${bucket}/slow.png`;
      const upload = request({ port: new URL(api.url).port, method: "PUT", path, headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      upload.on("error", reject);
      void (async () => {
        for (const letter of "abcd") {
          upload.write(letter);
          await sleep(400);
        }
        upload.end();
      })();
    });
    expect(status).toBe(200);
    expect((await exchange(api.bucketUrl, `/${bucket}/slow.png`)).text).toBe("abcd");
  });
});

it("a disk that fails is 500 and a line on the screen, and the gateway continues to run", async () => {
  await start({});
  const folder = join(api.context.directory, "objects", bucket);
  renameSync(folder, `${folder}-away`);
  expect(message(await putPng())).toEqual([500, "Internal server error"]);
  expect(api.context.reported.join()).toContain("a request failed: ENOENT");
  renameSync(`${folder}-away`, folder);
  expect((await putPng()).status).toBe(200);
});

it("a request validator refuses a request without a required parameter", async () => {
  await start({
    "Method PUT": (inputs) => ({
      ...inputs,
      requestParameters: { ...inputs.requestParameters, "method.request.querystring.title": true },
    }),
  });
  expect((await putPng()).status).toBe(200);
  await end();
  let validator: string | undefined;
  await startWith({
    change: (type, name, inputs) => {
      if (!type.endsWith(":Method") || name !== "PUT") return inputs;
      return {
        ...inputs,
        requestValidatorId: validator,
        requestParameters: { ...inputs.requestParameters, "method.request.querystring.title": true },
      };
    },
    beforeMethods: async (make, restApi) => {
      const result = await make("aws:apigateway/requestValidator:RequestValidator", "validator", {
        restApi: restApi.id,
        name: "parameters",
        validateRequestParameters: true,
        validateRequestBody: false,
      });
      validator = result.id;
    },
  });
  expect(message(await putPng())).toEqual([400, "Missing required request parameters: [title]"]);
  expect((await putPng("a.png?title=x")).status).toBe(200);
});
