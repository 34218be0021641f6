import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { signedHeadersFor } from "./signedHeaders";
import { type LambdaService, startLambda, until } from "./support";

let lambdaService: LambdaService;
beforeAll(async () => {
  lambdaService = await startLambda();
  await lambdaService.make(
    "echo",
    "exports.handler = async (event) => { console.log(event.say); if (event.fail) throw new Error('bad'); return event; };",
  );
});
afterAll(() => lambdaService.end());

/** Sends a signed request as an SDK does, and returns the status, the relevant headers and the body. */
async function send(
  path: string,
  body: string | Buffer,
  headers: Record<string, string> = {},
  { method = "POST", credentials = lambdaService.iam.administrator } = {},
) {
  const { host } = new URL(lambdaService.lambda.endpoint);
  const request = { method, url: path, headers, body: Buffer.from(body) };
  const at = { host, service: "lambda", region: lambdaService.context.region, now: new Date() };
  const { host: _, ...signed } = signedHeadersFor(request, credentials, at);
  const response = await fetch(lambdaService.lambda.endpoint + path, { method, headers: signed, body });
  return {
    status: response.status,
    error: response.headers.get("x-amz-function-error") ?? response.headers.get("x-amzn-errortype"),
    version: response.headers.get("x-amz-executed-version"),
    body: await response.text(),
  };
}
const invoke = (name: string, body: string | Buffer = "{}", type?: string) => {
  const headers: Record<string, string> = type === undefined ? {} : { "x-amz-invocation-type": type };
  return send(`/2015-03-31/functions/${encodeURIComponent(name)}/invocations`, body, headers);
};

describe("POST /2015-03-31/functions/{name}/invocations", () => {
  test("answers the payload, by name and by ARN", async () => {
    for (const name of ["echo", "arn:aws:lambda:eu-west-1:111122223333:function:echo", "echo:$LATEST"]) {
      expect(await invoke(name, '{"a":"ü"}')).toEqual({
        status: 200,
        error: null,
        version: "$LATEST",
        body: '{"a":"ü"}',
      });
    }
    expect(await send("/2015-03-31/functions/echo/invocations?Qualifier=%24LATEST", "1")).toMatchObject({ body: "1" });
  });

  test("a function that fails is 200 with its error", async () => {
    const { status, error, body } = await invoke("echo", '{"fail":true}');
    expect([status, error]).toEqual([200, "Unhandled"]);
    expect(JSON.parse(body)).toMatchObject({ errorType: "Error", errorMessage: "bad", trace: expect.any(Array) });
  });

  test("Event answers at once and runs, DryRun runs nothing", async () => {
    expect(await invoke("echo", '{"say":"by event"}', "Event")).toMatchObject({ status: 202, body: "" });
    expect(await invoke("echo", '{"say":"by dry run"}', "DryRun")).toMatchObject({ status: 204, body: "" });
    const logged = async (what: string) =>
      (await lambdaService.lambda.recentLogs("echo")).some((line) => line.endsWith(what));
    await until(() => logged("by event"));
    expect(await logged("by dry run")).toBe(false);
  });

  test.each<[string, () => Promise<any>, number, string, RegExp]>([
    ["an unknown function", () => invoke("none"), 404, "ResourceNotFoundException", /Function not found: arn:.*:none$/],
    ["a body that is not JSON", () => invoke("echo", "{"), 400, "InvalidRequestContentException", /into json/],
    ["an unknown type", () => invoke("echo", "{}", "Later"), 400, "InvalidParameterValueException", /DryRun/],
    ["too long a body", () => invoke("echo", "1".repeat(6_291_457)), 413, "RequestTooLargeException", /6291456/],
    ["too long an event", () => invoke("echo", "1".repeat(2e6), "Event"), 413, "RequestTooLargeException", /1048576/],
    [
      "another operation",
      () => send("/2015-03-31/functions/", "{}"),
      404,
      "UnknownOperationException",
      /not simulated/,
    ],
    [
      "a name that is badly encoded",
      () => send("/2015-03-31/functions/%E0%A4%A/invocations", "{}"),
      400,
      "InvalidParameterValueException",
      /not properly encoded/,
    ],
  ])("%s is answered as Lambda answers it", async (_, request, status, code, message) => {
    const response = await request();
    expect([response.status, response.error]).toEqual([status, code]);
    expect(JSON.parse(response.body)).toMatchObject({ Type: "User", Message: expect.stringMatching(message) });
  });

  test("throttling is 429 with its reason", async () => {
    await lambdaService.make("closed", "exports.handler = async () => 1;", { reservedConcurrentExecutions: 0 });
    const { status, body } = await invoke("closed");
    expect([status, JSON.parse(body).Reason]).toEqual([429, "ReservedFunctionConcurrentInvocationLimitExceeded"]);
  });

  test("a caller without a signature, or without the permission, is refused", async () => {
    const path = "/2015-03-31/functions/echo/invocations";
    const unsigned = await fetch(lambdaService.lambda.endpoint + path, { method: "POST", body: "{}" });
    expect([unsigned.status, unsigned.headers.get("x-amzn-errortype")]).toEqual([
      400,
      "MissingAuthenticationTokenException",
    ]);
    const credentials = lambdaService.iam.credentialsFor(lambdaService.role);
    expect(await send(path, "{}", {}, { credentials })).toMatchObject({ status: 403, error: "AccessDeniedException" });
    const wrong = { ...lambdaService.iam.administrator, secretAccessKey: "x" };
    const refused = await send(path, "{}", {}, { credentials: wrong });
    expect(refused).toMatchObject({ status: 403, error: "InvalidSignatureException" });
  });
});
