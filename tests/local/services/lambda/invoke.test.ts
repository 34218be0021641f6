import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isRunning, type LambdaService, startLambda, until } from "./support";

let lambdaService: LambdaService;
beforeAll(async () => {
  process.env.OF_THE_PARENT = "secret of the parent";
  lambdaService = await startLambda({ AWS_ENDPOINT_URL_SECRETS_MANAGER: "http://127.0.0.1:1" });
});
afterAll(() => lambdaService.end());

const sleep = (ms: number) => `new Promise((resolve) => setTimeout(resolve, ${ms}))`;

describe("a function", () => {
  test("answers, sees its event and its context", async () => {
    await lambdaService.make(
      "context",
      `exports.handler = async (event, context) => ({ event, ...context, left: context.getRemainingTimeInMillis() });`,
      { timeout: 60, memorySize: 256 },
    );
    const { failed, answer } = await lambdaService.invoke("context", { a: "ü" });
    expect(failed).toBe(false);
    expect(answer).toMatchObject({
      event: { a: "ü" },
      functionName: "context",
      functionVersion: "$LATEST",
      invokedFunctionArn: "arn:aws:lambda:eu-west-1:111122223333:function:context",
      memoryLimitInMB: "256",
      logGroupName: "/aws/lambda/context",
      awsRequestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    // Far more than 3 s, Lambda's default for a function without a timeout.
    expect(answer.left).toBeGreaterThan(30_000);
    expect(answer.left).toBeLessThanOrEqual(60_000);
  });

  test.each([
    ["a promise", "async () => 1", 1],
    ["nothing", "async () => {}", null],
    ["a callback", "(event, context, callback) => { setTimeout(() => callback(null, 2), 5); }", 2],
    ["a callback that ends first", "(event, context, callback) => { callback(null, 3); callback(null, 4); }", 3],
    [
      "a callback with work left over",
      `(event, context, callback) => {
        context.callbackWaitsForEmptyEventLoop = false;
        setTimeout(() => {}, 60_000);
        callback(null, 5);
      }`,
      5,
    ],
    ["context.succeed", "(event, context) => { context.succeed(6); }", 6],
    ["no answer and nothing pending", "() => {}", null],
    ["a promise that never settles, nothing pending", "() => new Promise(() => {})", null],
  ])("answers by %s", async (what, handler, expected) => {
    const name = what.replaceAll(/[^a-z]/g, "-").slice(0, 60);
    await lambdaService.make(name, `exports.handler = ${handler};`, { timeout: 5 });
    for (let i = 0; i < 3; i++) expect(await lambdaService.invoke(name)).toEqual({ failed: false, answer: expected });
    expect(lambdaService.lambda.containersStarted(name)).toBe(1);
  });

  test.each([
    ["thrown", "async () => { throw new RangeError('r') }", { errorType: "RangeError", errorMessage: "r" }],
    ["thrown-sync", "() => { throw new Error('s') }", { errorType: "Error", errorMessage: "s" }],
    ["called-back", "(e, c, callback) => callback(new Error('c'))", { errorType: "Error", errorMessage: "c" }],
    ["no-error", "async () => { throw 'text' }", { errorType: "string", errorMessage: "text" }],
    ["not-json", "async () => 1n", { errorMessage: "Unable to stringify response body" }],
    ["too-large", "async () => 'x'.repeat(7e6)", { errorType: "Function.ResponseSizeTooLarge" }],
  ])("that fails (%s) answers Lambda's error and can be called again", async (name, handler, expected) => {
    // On a busy machine seven megabytes take longer than Lambda's default of 3 s.
    await lambdaService.make(name, `exports.handler = ${handler};`, { timeout: 30 });
    for (let i = 0; i < 2; i++)
      expect(await lambdaService.invoke(name)).toMatchObject({ failed: true, answer: expected });
    expect(lambdaService.lambda.containersStarted(name)).toBe(1);
  });

  test.each([
    ["no-export", "exports.other = 1;", "Runtime.HandlerNotFound", "index.handler is undefined or not exported"],
    ["no-function", "exports.handler = 1;", "Runtime.HandlerNotFound", "index.handler is not a function"],
    ["no-module", "require('mysql2');", "Runtime.ImportModuleError", /^Error: Cannot find module 'mysql2'/],
    ["no-syntax", "exports.handler = {", "Runtime.UserCodeSyntaxError", /^SyntaxError/],
    ["throws", "throw new TypeError('at load')", "TypeError", "at load"],
    ["exits", "process.exit(0)", "Runtime.ExitError", "Error: Runtime exited without providing a reason"],
  ])(
    "that does not load (%s) answers the error at each call, in a new container",
    async (name, source, errorType, message) => {
      await lambdaService.make(name, source);
      for (let i = 0; i < 2; i++) {
        const { failed, answer } = await lambdaService.invoke(name);
        expect([failed, answer.errorType]).toEqual([true, errorType]);
        expect(answer.errorMessage).toMatch(message);
      }
      expect(lambdaService.lambda.containersStarted(name)).toBe(2);
    },
  );

  test("with a callback is refused by the runtime nodejs24.x", async () => {
    const source = "exports.handler = (event, context, callback) => callback(null, 1);";
    await lambdaService.make("old-style", source, { runtime: "nodejs24.x" });
    expect((await lambdaService.invoke("old-style")).answer.errorType).toBe("Runtime.CallbackHandlerDeprecated");
  });

  test("finds the AWS SDK of the runtime, but no package that only lies above its folder", async () => {
    const above = join(lambdaService.context.directory, "node_modules", "above");
    mkdirSync(above, { recursive: true });
    writeFileSync(join(above, "index.js"), "");
    await lambdaService.make(
      "sdk",
      `const { SecretsManagerClient } = require("@aws-sdk/client-secrets-manager");
       exports.handler = async () => {
         try { require("above"); return "found"; } catch (error) { return [typeof SecretsManagerClient, error.code]; }
       };`,
    );
    expect((await lambdaService.invoke("sdk")).answer).toEqual(["function", "MODULE_NOT_FOUND"]);
  });
});

test("the environment is the function's own, the platform's and Lambda's, nothing of this process", async () => {
  await lambdaService.make("environment", "exports.handler = async () => process.env;", {
    environment: { variables: { SecretName: "ecommerce_secret" } },
  });
  const { answer } = await lambdaService.invoke("environment");
  const { accessKeyId, secretAccessKey } = lambdaService.iam.credentialsFor(lambdaService.role);
  expect(answer).toEqual({
    SecretName: "ecommerce_secret",
    AWS_ENDPOINT_URL_SECRETS_MANAGER: "http://127.0.0.1:1",
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_REGION: "eu-west-1",
    AWS_DEFAULT_REGION: "eu-west-1",
    AWS_EXECUTION_ENV: "AWS_Lambda_nodejs22.x",
    AWS_LAMBDA_FUNCTION_NAME: "environment",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "128",
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
    AWS_LAMBDA_LOG_FORMAT: "Text",
    AWS_LAMBDA_LOG_GROUP_NAME: "/aws/lambda/environment",
    AWS_LAMBDA_LOG_STREAM_NAME: expect.stringMatching(/^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/),
    LAMBDA_TASK_ROOT: expect.stringContaining(join("functions", "environment")),
    LANG: "en_US.UTF-8",
    PATH: "/usr/local/bin:/usr/bin:/bin",
    TZ: "UTC",
    _HANDLER: "index.handler",
  });
});

describe("containers", () => {
  test("keep their state: 1,000 calls in a row use one container, in order", async () => {
    await lambdaService.make("counter", "let n = 0; exports.handler = async () => ++n;");
    for (let i = 1; i <= 1_000; i++) expect((await lambdaService.invoke("counter")).answer).toBe(i);
    expect(lambdaService.lambda.containersStarted("counter")).toBe(1);
  });

  test("are as many as there are simultaneous calls, and the last used one is used next", async () => {
    await lambdaService.make("parallel", `exports.handler = async () => { await ${sleep(300)}; return process.pid; };`);
    const pids = await Promise.all([1, 2, 3, 4].map(async () => (await lambdaService.invoke("parallel")).answer));
    expect(new Set(pids).size).toBe(4);
    const next = [(await lambdaService.invoke("parallel")).answer, (await lambdaService.invoke("parallel")).answer];
    expect(next[0]).toBe(next[1]);
    expect(lambdaService.lambda.containersStarted("parallel")).toBe(4);
  });

  test("are not more than reserved, else Lambda's throttling error; a reservation of 0 allows no call", async () => {
    await lambdaService.make("two", `exports.handler = async () => ${sleep(300)};`, {
      reservedConcurrentExecutions: 2,
    });
    const results = await Promise.allSettled([1, 2, 3].map(() => lambdaService.invoke("two")));
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "fulfilled", "rejected"]);
    expect(results.find(({ status }) => status === "rejected")).toMatchObject({
      reason: {
        code: "TooManyRequestsException",
        status: 429,
        message: "Rate Exceeded.",
        more: { Reason: "ReservedFunctionConcurrentInvocationLimitExceeded" },
      },
    });
    expect((await lambdaService.invoke("two")).failed).toBe(false);
    await lambdaService.make("none", "exports.handler = async () => 1;", { reservedConcurrentExecutions: 0 });
    await expect(lambdaService.invoke("none")).rejects.toMatchObject({ status: 429 });
  });

  test.each([
    ["waits", `async () => ${sleep(60_000)}`],
    ["spins", "async () => { for (;;) {} }"],
  ])("one whose function %s is killed at its timeout, with Lambda's text", async (name, handler) => {
    await lambdaService.make(name, `exports.handler = async (e) => e.pid ? process.pid : (${handler})();`, {
      timeout: 1,
    });
    const { answer: pid } = await lambdaService.invoke(name, { pid: true });
    const started = Date.now();
    const { failed, answer } = await lambdaService.invoke(name);
    // The function would take a minute, or never end.
    expect(Date.now() - started).toBeLessThan(20_000);
    expect(failed).toBe(true);
    expect(answer).toEqual({
      errorType: "Sandbox.Timedout",
      errorMessage: expect.stringMatching(/^RequestId: [0-9a-f-]{36} Error: Task timed out after 1\.00 seconds$/),
    });
    await until(() => !isRunning(pid));
    expect((await lambdaService.invoke(name, { pid: true })).answer).not.toBe(pid);
  });

  test.each([
    ["process.exit(3)", "Runtime.ExitError", /Runtime exited with error: exit status 3$/],
    ["process.kill(process.pid, 'SIGKILL')", "Runtime.ExitError", /signal: killed$/],
    ["setTimeout(() => { throw new RangeError('late') })", "RangeError", /^late$/],
    ["Promise.reject(new Error('lost'))", "Runtime.UnhandledPromiseRejection", /^Error: lost$/],
  ])("one that dies of %s fails this call, but no later one", async (code, errorType, message) => {
    const source = `exports.handler = async (e) => { if (e.die) { ${code}; await ${sleep(60_000)}; } return 1; };`;
    await lambdaService.make("mortal", source);
    const { failed, answer } = await lambdaService.invoke("mortal", { die: true });
    expect([failed, answer.errorType]).toEqual([true, errorType]);
    expect(answer.errorMessage).toMatch(message);
    expect(await lambdaService.invoke("mortal")).toEqual({ failed: false, answer: 1 });
  });

  test("one that dies between two calls is replaced", async () => {
    await lambdaService.make("sleeper", "exports.handler = async () => process.pid;");
    const { answer: pid } = await lambdaService.invoke("sleeper");
    process.kill(pid, "SIGKILL");
    await until(() => !isRunning(pid));
    expect((await lambdaService.invoke("sleeper")).answer).not.toBe(pid);
  });

  test("end with everything that they started when the service closes", async () => {
    const other = await startLambda();
    await other.make(
      "parent",
      `const child = require("node:child_process").spawn("sleep", ["300"]);
       exports.handler = async () => [process.pid, child.pid];`,
    );
    const pids = (await other.invoke("parent")).answer as number[];
    expect(pids.map(isRunning)).toEqual([true, true]);
    await other.end();
    await until(() => !pids.some(isRunning));
    await expect(other.invoke("parent")).rejects.toMatchObject({ code: "ServiceException" });
  });
});

describe("logs", () => {
  const lines = async (name: string) => (await lambdaService.lambda.recentLogs(name)).map((line) => JSON.parse(line));

  test("in JSON format have Lambda's fields, and nothing that is logged can look like a second entry", async () => {
    await lambdaService.make(
      "json",
      `exports.handler = async ({ text }) => {
         console.log(text);
         console.warn("a", 1, { b: 2 }, text);
         console.error(new RangeError(text));
         console.debug("not at level INFO");
       };`,
      { loggingConfig: { logFormat: "JSON" } },
    );
    const text = 'x\n{"level":"INFO","message":"forged"}\r\nSTART RequestId: forged';
    await lambdaService.invoke("json", { text });
    const all = await lines("json");
    const [start, log, warning, error, report] = all;
    const requestId = start.record.requestId;
    expect(all).toHaveLength(5);
    expect(start).toMatchObject({ type: "platform.start", record: { version: "$LATEST" } });
    expect(log).toEqual({ timestamp: expect.any(String), level: "INFO", requestId, message: text });
    expect(Date.parse(log.timestamp)).toBeGreaterThan(Date.now() - 60_000);
    expect(warning).toMatchObject({ level: "WARN", requestId, message: `a 1 { b: 2 } ${text}` });
    expect(error).toMatchObject({ level: "ERROR", message: { errorType: "RangeError", errorMessage: text } });
    expect(report).toMatchObject({ type: "platform.report", record: { requestId, status: "success" } });
    const file = join(lambdaService.context.directory, "logs", "json.log");
    expect(
      readFileSync(file, "utf8")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual(all);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test("in text format have a carriage return for a line break", async () => {
    await lambdaService.make("text", "exports.handler = async ({ text }) => console.info(text);");
    await lambdaService.invoke("text", { text: "one\nSTART RequestId: forged" });
    const [start, entry, end, ...more] = await lambdaService.lambda.recentLogs("text");
    expect(start).toMatch(/^START RequestId: [0-9a-f-]{36} Version: \$LATEST$/);
    expect(entry).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z\t[0-9a-f-]{36}\tINFO\tone\rSTART RequestId: forged$/);
    expect([end, more]).toEqual([expect.stringMatching(/^END/), []]);
  });

  test("are always between the start and the end of their invocation", async () => {
    await lambdaService.make("order", "exports.handler = async (n) => console.log(n);");
    for (let n = 0; n < 200; n++) await lambdaService.invoke("order", n);
    const kinds = (await lambdaService.lambda.recentLogs("order")).map(
      (line) => /^(START|END)/.exec(line)?.[0] ?? "entry",
    );
    expect(kinds).toEqual(Array.from({ length: 200 }, () => ["START", "entry", "END"]).flat());
  });

  test("have the levels that the function declares, and the entries from before its death", async () => {
    const loggingConfig = { logFormat: "JSON", applicationLogLevel: "ERROR", systemLogLevel: "WARN" };
    const source = "exports.handler = async () => { console.log('no'); console.error('yes'); process.exit(1); };";
    await lambdaService.make("levels", source, { loggingConfig });
    await lambdaService.invoke("levels");
    expect(await lines("levels")).toMatchObject([{ level: "ERROR", message: "yes" }]);
  });

  test("are bounded in the file", async () => {
    const source = "exports.handler = async () => { for (let i = 0; i < 600; i++) console.log('x'.repeat(20_000)); };";
    await lambdaService.make("chatty", source, { timeout: 20 });
    await lambdaService.invoke("chatty");
    await lambdaService.lambda.recentLogs("chatty");
    const file = join(lambdaService.context.directory, "logs", "chatty.log");
    expect(statSync(file).size).toBeLessThan(6 * 1024 * 1024);
    expect(existsSync(`${file}.1`)).toBe(true);
  });
});
