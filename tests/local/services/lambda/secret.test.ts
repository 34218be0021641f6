import { afterAll, beforeAll, expect, test } from "vitest";
import { SecretsManager } from "../../../../local/services/secretsmanager/secretsManager";
import { type LambdaService, startLambda } from "./support";

const platform: Record<string, string> = {};
let lambdaService: LambdaService;
let secrets: SecretsManager;
let arn: string;

beforeAll(async () => {
  lambdaService = await startLambda(platform);
  secrets = await SecretsManager.start(lambdaService.context, lambdaService.iam);
  platform.AWS_ENDPOINT_URL_SECRETS_MANAGER = secrets.endpoint;
  const make = async (kind: "Secret" | "SecretVersion", inputs: Record<string, unknown>) => {
    const type =
      kind === "Secret" ? "aws:secretsmanager/secret:Secret" : "aws:secretsmanager/secretVersion:SecretVersion";
    return secrets.handlers[type]!({ type, name: kind, inputs });
  };
  arn = (await make("Secret", { name: "ecommerce_secret" })).id;
  await make("SecretVersion", { secretId: arn, secretString: '{"username":"u"}' });
});
afterAll(async () => {
  await secrets.close();
  await lambdaService.end();
});

test("a function reads its secret with the AWS SDK as its role, once the role's policy allows it", async () => {
  await lambdaService.make(
    "reader",
    `const { SecretsManager } = require("@aws-sdk/client-secrets-manager");
     const client = new SecretsManager({ maxAttempts: 1 });
     exports.handler = async () => (await client.getSecretValue({ SecretId: process.env.SecretName })).SecretString;`,
    { environment: { variables: { SecretName: "ecommerce_secret" } }, timeout: 10 },
  );
  const before = await lambdaService.invoke("reader");
  expect([before.failed, before.answer.errorType]).toEqual([true, "AccessDeniedException"]);
  expect(before.answer.errorMessage).toContain(
    `not authorized to perform: secretsmanager:GetSecretValue on resource: ${arn}`,
  );

  const policy = { Statement: [{ Effect: "Allow", Action: "secretsmanager:GetSecretValue", Resource: arn }] };
  const type = "aws:iam/rolePolicy:RolePolicy";
  await lambdaService.iam.handlers[type]!({
    type,
    name: "secret",
    inputs: { role: lambdaService.role, policy: JSON.stringify(policy) },
  });
  expect(await lambdaService.invoke("reader")).toEqual({ failed: false, answer: '{"username":"u"}' });
});
