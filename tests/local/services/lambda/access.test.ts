import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FunctionFailed, invokeForCognito } from "../../../../local/services/lambda/cognitoTrigger";
import { type LambdaService, pool, startLambda } from "./support";

let lambdaService: LambdaService;
beforeAll(async () => {
  lambdaService = await startLambda();
});
afterAll(() => lambdaService.end());

const cognito = { service: "cognito-idp.amazonaws.com", sourceArn: pool };
const answer = "exports.handler = async (event) => event;";

describe("a service may call", () => {
  const arn = "arn:aws:lambda:eu-west-1:111122223333:function:guarded";
  const call = (caller: any, name = "guarded") => lambdaService.lambda.invoke({ function: name, event: "{}", caller });

  test("only where a permission allows it", async () => {
    await lambdaService.make("guarded", answer);
    const denied = {
      code: "AccessDeniedException",
      status: 403,
      message: `User: cognito-idp.amazonaws.com is not authorized to perform: lambda:InvokeFunction on resource: ${arn} because no resource-based policy allows the lambda:InvokeFunction action`,
    };
    await expect(call(cognito)).rejects.toMatchObject(denied);
    const { id } = await lambdaService.permit("guarded", { statementId: "allow-pool" });
    expect(id).toBe("allow-pool");
    expect(await call(cognito)).toEqual({ payload: "{}", failed: false });
    expect(await call(cognito, arn)).toEqual({ payload: "{}", failed: false });
    await expect(call({ ...cognito, sourceArn: `${pool}d` })).rejects.toMatchObject(denied);
    await expect(call({ ...cognito, service: "sns.amazonaws.com" })).rejects.toMatchObject({
      code: "AccessDeniedException",
    });
    await expect(call(cognito, "other")).rejects.toMatchObject({ code: "AccessDeniedException" });
  });

  test.each<[string, Record<string, unknown>, boolean]>([
    ["pool by wildcard", { sourceArn: pool.replace("abc", "*") }, true],
    ["no source", { sourceArn: undefined }, true],
    ["own account", { sourceAccount: "111122223333" }, true],
    ["another account", { sourceAccount: "999999999999" }, false],
    ["another pool", { sourceArn: `${pool}d` }, false],
    ["another service", { principal: "apigateway.amazonaws.com" }, false],
    ["another action", { action: "lambda:GetFunction" }, false],
    ["all actions", { action: "lambda:*" }, true],
  ])("with %s: %o → %s", async (what, inputs, allowed) => {
    const name = what.replaceAll(" ", "-");
    await lambdaService.make(name, answer);
    await lambdaService.permit(name, inputs);
    const result = call(cognito, name);
    if (allowed) expect((await result).failed).toBe(false);
    else await expect(result).rejects.toMatchObject({ code: "AccessDeniedException" });
  });

  test("a permission for an unknown function, or without its inputs, is refused", async () => {
    await expect(lambdaService.permit("nowhere")).rejects.toThrow("Function not found: arn:aws:lambda:eu-west-1");
    await expect(lambdaService.permit("guarded", { principal: undefined })).rejects.toThrow(
      /needs an action.*principal/,
    );
    await expect(lambdaService.permit("guarded", { qualifier: "live" })).rejects.toThrow(/qualifier is not simulated/);
  });
});

test("a role may call what its policies allow", async () => {
  await lambdaService.make("for-roles", answer);
  const { accessKeyId } = lambdaService.iam.credentialsFor(lambdaService.role);
  const call = () => lambdaService.lambda.invoke({ function: "for-roles", event: "{}", caller: { accessKeyId } });
  await expect(call()).rejects.toMatchObject({
    code: "AccessDeniedException",
    message: expect.stringContaining(`User: ${lambdaService.role} is not authorized`),
  });
  const Resource = "arn:aws:lambda:*:*:function:for-roles";
  const Statement = [{ Effect: "Allow", Action: "lambda:InvokeFunction", Resource }];
  const type = "aws:iam/rolePolicy:RolePolicy";
  await lambdaService.iam.handlers[type]!({
    type,
    name: "p",
    inputs: { role: lambdaService.role, policy: { Statement } },
  });
  expect((await call()).failed).toBe(false);
});

describe("Cognito", () => {
  const arnOf = (name: string) => `arn:aws:lambda:eu-west-1:111122223333:function:${name}`;
  const trigger = (name: string, timeout?: number) =>
    invokeForCognito(lambdaService.lambda, arnOf(name), { a: 1 }, pool, { timeout });

  test("gets the function's answer", async () => {
    await lambdaService.make("echo", answer);
    await lambdaService.permit("echo");
    expect(await trigger("echo")).toEqual({ a: 1 });
  });

  test("gets the function's error after one try", async () => {
    await lambdaService.make("failing", "let n = 0; exports.handler = async () => { throw new Error('try ' + ++n); };");
    await lambdaService.permit("failing");
    for (const message of ["try 1", "try 2"]) {
      const error: any = await trigger("failing").catch((thrown) => thrown);
      expect(error).toBeInstanceOf(FunctionFailed);
      expect([error.message, error.errorType]).toEqual([message, "Error"]);
    }
  });

  test("tries three times in all if no answer comes in time", async () => {
    const source = `let n = 0; exports.handler = async () => { console.log("try"); await new Promise((r) => setTimeout(r, 10_000)); };`;
    await lambdaService.make("slow", source, { timeout: 20 });
    await lambdaService.permit("slow");
    const started = Date.now();
    await expect(trigger("slow", 400)).rejects.toMatchObject({
      code: "Socket timeout while invoking Lambda function",
    });
    // Two tries would end after 800 ms. With a longer wait for each try there would be the function's answer.
    expect(Date.now() - started).toBeGreaterThan(1_100);
    const tries = async () => (await lambdaService.lambda.recentLogs("slow")).filter((line) => line.endsWith("try"));
    // A container may still be starting when its caller gives up.
    await expect.poll(tries, { timeout: 10_000 }).toHaveLength(3);
  });

  test("gets an answer that comes at the second try", async () => {
    await lambdaService.make("later", answer);
    await lambdaService.permit("later");
    // Invoked before: on a busy machine the start of a container takes long, and Cognito waits only briefly here.
    const result = await lambdaService.lambda.invoke({ function: "later", event: "2", caller: cognito });
    let calls = 0;
    const lambda = { invoke: async () => (++calls === 1 ? new Promise<never>(() => {}) : result) };
    expect(await invokeForCognito(lambda, arnOf("later"), {}, pool, { timeout: 500 })).toBe(2);
    expect(calls).toBe(2);
  });

  test("is refused without a permission, at once", async () => {
    await lambdaService.make("forbidden", answer);
    await expect(trigger("forbidden")).rejects.toMatchObject({ code: "AccessDeniedException" });
  });
});
