/** The API with other settings of its role, its mappings and its payloads. */
import { afterEach, describe, expect, it } from "vitest";
import { exchange } from "../s3/exchange";
import { api, end, message, png, putByRole, putPng, send, set, start } from "./configuredApi";
import { bucket } from "./documentedApi";

afterEach(end);

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

  it("an object that the role's policies do not cover is 403", async () => {
    await start({ "RolePolicy s3-policy": policy("s3:*", `arn:aws:s3:::${bucket}/public/*`) });
    expect((await putPng("private.png")).status).toBe(403);
    expect((await putPng("public%2Fa.png")).status).toBe(200);
  });

  it("a role that does not trust API Gateway is 500", async () => {
    const assumeRolePolicy = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
    });
    await start({ "Role role": set({ assumeRolePolicy }) });
    const reply = await putPng();
    expect(message(reply)).toEqual([500, "Internal server error"]);
    expect(reply.headers["access-control-allow-origin"]).toBe("*");
    expect(api.context.reported.join()).toContain(
      "PUT /{bucket_name}/{file_name}: API Gateway does not have permission",
    );
  });

  it("without credentials it is an anonymous caller, which may read but not write", async () => {
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
  it("a path parameter without a mapping is 500", async () => {
    const requestParameters = { "integration.request.path.bucket": "method.request.path.bucket_name" };
    await start({ "Integration PUT": set({ requestParameters }) });
    expect(message(await putPng())).toEqual([500, "Internal server error"]);
    expect(api.context.reported.join()).toContain("nothing is mapped to {key}");
  });

  it("swapped path parameters lead to another bucket", async () => {
    const requestParameters = {
      "integration.request.path.bucket": "method.request.path.file_name",
      "integration.request.path.key": "method.request.path.bucket_name",
    };
    await start({ "Integration PUT": set({ requestParameters }) });
    expect((await putPng()).status).toBe(403);
  });

  it("a Content-Type that is not mapped does not reach S3, and without a mapping the response is JSON", async () => {
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
  it("an object of more than 10 MB is 500", async () => {
    await start({});
    await putByRole("large", Buffer.alloc(10 * 1024 * 1024 + 1));
    expect((await send("GET", "large")).status).toBe(500);
  });

  it("NEVER refuses a type without a template", async () => {
    await start({ "Integration PUT": set({ passthroughBehavior: "NEVER" }) });
    expect(message(await putPng())).toEqual([415, "Unsupported Media Type"]);
  });
});
