/** A deployment that invokes a function: it really runs, as the deployer, once at each start. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { refusal } from "../../../support/failures";
import { type LambdaService, startLambda } from "./support";

const type = "aws:lambda/invocation:Invocation";
let lambdaService: LambdaService;
beforeAll(async () => {
  lambdaService = await startLambda();
  await lambdaService.make(
    "worker",
    `exports.handler = async (event, context) => {
      console.log("asked for", event.do);
      if (event.do === "fail") throw new Error("no route to the server as " + event.user.password);
      if (event.do === "hang") await new Promise((resolve) => setTimeout(resolve, 60000));
      if (event.do === "exit") process.exit(3);
      return { did: event.do, as: context.invokedFunctionArn };
    };`,
    { timeout: 1 },
  );
  await lambdaService.make("broken", "throw new Error('cannot even load')");
});
afterAll(() => lambdaService.end());

const make = (inputs: Record<string, unknown>) =>
  lambdaService.lambda.handlers[type]!({ type, name: "apply", inputs: { functionName: "worker", ...inputs } });
const refused = async (inputs: Record<string, unknown>): Promise<string> => {
  const message = await refusal(Promise.resolve(make(inputs)));
  expect(message).toContain(`${type} "apply": `);
  return message;
};

test("runs the function without any Permission, waits, and returns its payload", async () => {
  const { id, outputs } = await make({ input: '{"do":"tables"}', triggers: { a: "1" } });
  const arn = "arn:aws:lambda:eu-west-1:111122223333:function:worker";
  expect(JSON.parse(String(outputs.result))).toEqual({ did: "tables", as: arn });
  expect(id).toMatch(/^worker_\$LATEST_[0-9a-f]{32}$/);
  expect((await make({ functionName: arn, input: '{"do":"tables"}' })).id).toBe(id);
  const log = readFileSync(join(lambdaService.context.directory, "logs", "worker.log"), "utf8");
  expect(log.match(/asked for tables/g)).toHaveLength(2);
});

describe("fails the deployment", () => {
  test("with the function's message, without a password of the input", async () => {
    const input = JSON.stringify({ do: "fail", user: { name: "register", password: "pw-8f3a2b" } });
    expect(await refused({ input })).toBe(`${type} "apply": the function worker failed: no route to the server as …`);
  });
  test.each([
    ["does not end in its time", "hang", /Task timed out after 1\.00 seconds/],
    ["ends its process", "exit", /Runtime exited with error: exit status 3/],
  ])("if the function %s", async (_, what, message) => {
    expect(await refused({ input: JSON.stringify({ do: what }) })).toMatch(message);
    expect((await make({ input: '{"do":"again"}' })).outputs.result).toContain("again");
  });
  test("if the function cannot be loaded", async () => {
    expect(await refused({ functionName: "broken", input: "{}" })).toContain("cannot even load");
  });
  test.each([
    [{ input: "no json" }, "input is not JSON"],
    [{ input: undefined }, "input must be a string"],
    [{ input: "{}", lifecycleScope: "CRUD" }, 'lifecycleScope is "CRUD"'],
    [{ input: "{}", qualifier: "7" }, "qualifier and tenantId are not simulated"],
  ])("if the inputs are invalid or not simulated: %o", async (inputs, message) => {
    expect(await refused(inputs)).toContain(message);
  });
  test("if there is no such function", async () => {
    await expect(make({ functionName: "nobody", input: "{}" })).rejects.toThrow(/Function not found: .*:nobody/);
  });
});
