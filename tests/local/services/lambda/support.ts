import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServiceContext } from "../../../../local/lib/service";
import { Iam } from "../../../../local/services/iam/iam";
import { Lambda } from "../../../../local/services/lambda/lambda";

export const pool = "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_abc";

/** A Lambda service with one role, in a folder of its own. */
export interface LambdaService {
  readonly context: ServiceContext;
  readonly iam: Iam;
  readonly lambda: Lambda;
  readonly role: string;
  /** Declares a function whose `index.js` is this text. */
  make(name: string, source: string, inputs?: Record<string, unknown>): Promise<any>;
  /** Declares a permission; by default it allows Cognito for the pool. */
  permit(name: string, inputs?: Record<string, unknown>): Promise<any>;
  /** Invokes as the administrator. */
  invoke(name: string, event?: unknown): Promise<{ failed: boolean; answer: any }>;
  end(): Promise<void>;
}

export async function startLambda(platform: Record<string, string> = {}): Promise<LambdaService> {
  const directory = mkdtempSync(join(tmpdir(), "lambda-"));
  const context: ServiceContext = {
    directory,
    region: "eu-west-1",
    accountId: "111122223333",
    port: async () => 0,
    info: () => {},
  };
  const iam = new Iam(context);
  const trust = { Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "lambda.amazonaws.com" } };
  const type = "aws:iam/role:Role";
  const assumeRolePolicy = { Version: "2012-10-17", Statement: [trust] };
  const result = await iam.handlers[type]!({ type, name: "function", inputs: { assumeRolePolicy } });
  const role = result.outputs.arn as string;
  const lambda = await Lambda.start(context, { iam, platformEnvironment: () => platform });
  const call = async (type: string, name: string, inputs: Record<string, unknown>) =>
    (await lambda.handlers[type]!({ type, name, inputs })) as any;
  return {
    context,
    iam,
    lambda,
    role,
    make: (name, source, inputs = {}) => {
      const code = { assets: Promise.resolve({ "index.js": { text: Promise.resolve(source) } }) };
      const all = { name, code, handler: "index.handler", runtime: "nodejs22.x", role, ...inputs };
      return call("aws:lambda/function:Function", name, all);
    },
    permit: (name, inputs = {}) => {
      const cognito = { principal: "cognito-idp.amazonaws.com", sourceArn: pool, action: "lambda:InvokeFunction" };
      return call("aws:lambda/permission:Permission", `${name}-permission`, { function: name, ...cognito, ...inputs });
    },
    invoke: async (name, event = {}) => {
      const caller = { accessKeyId: iam.administrator.accessKeyId };
      const { payload, failed } = await lambda.invoke({ function: name, event: JSON.stringify(event), caller });
      return { failed, answer: JSON.parse(payload) };
    },
    end: async () => {
      await lambda.close();
      await lambda.close();
      rmSync(directory, { recursive: true });
    },
  };
}

/** Whether a process exists and is not a zombie. */
export function isRunning(pid: number): boolean {
  try {
    return !/^Z/.test(execFileSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).trim());
  } catch {
    return false;
  }
}

/** Waits until the condition holds. @throws Error after `milliseconds`, so that a test does not hang */
export async function until(condition: () => boolean | Promise<boolean>, milliseconds = 60_000): Promise<void> {
  const end = Date.now() + milliseconds;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error("The condition did not become true in time.");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
