/** The function, its secret, its role, the trigger and the permission (S4 to S6). */
import { change, omit } from "../changes";
import type { Mutation } from "../mutation";

const pool = "cognito/userPool:UserPool";
const lambda = "lambda/function:Function register-user";
const permission = "lambda/permission:Permission register-user-from-pool";
const secretVersion = "secretsmanager/secretVersion:SecretVersion secret-value";
const role = "iam/role:Role register-user-role";
const policy = "iam/rolePolicy:RolePolicy register-user-policy";

/** The person is confirmed and the function fails: what Cognito answers to ConfirmSignUp. */
const failing = (says?: string) => ({ story: "confirmation", says }) as const;

/** One field of the secret's JSON; undefined takes it away. */
const secretWith = (fields: object) =>
  change(secretVersion, ({ secretString }) => ({
    secretString: JSON.stringify({ ...JSON.parse(secretString), ...fields }),
  }));

/** The statement with this Sid; undefined takes it away. */
const statement = (sid: string, others: object | undefined) =>
  change(policy, ({ policy: document }) => ({
    policy: {
      ...document,
      Statement: document.Statement.flatMap((one: { Sid: string }) => {
        if (one.Sid !== sid) return [one];
        return others ? [{ ...one, ...others }] : [];
      }),
    },
  }));

export const registration: readonly Mutation[] = [
  {
    name: "no trigger after confirmation",
    onAws: "people are confirmed and have no row until they sign in",
    change: change(pool, ({ lambdaConfig }) => ({ lambdaConfig: { ...lambdaConfig, postConfirmation: undefined } })),
    caughtBy: { story: "row" },
  },
  {
    name: "the function as the pre-sign-up trigger",
    onAws: "it is called before anyone is confirmed, and registers nobody",
    change: change(pool, ({ lambdaConfig }) => ({ lambdaConfig: { preSignUp: lambdaConfig.postConfirmation } })),
    caughtBy: { start: "lambdaConfig.preSignUp" },
  },
  {
    name: "a trigger that is another function",
    onAws: "ConfirmSignUp fails: no such function",
    change: change(pool, ({ lambdaConfig }) => ({
      lambdaConfig: { ...lambdaConfig, postConfirmation: `${lambdaConfig.postConfirmation}-old` },
    })),
    caughtBy: failing("AccessDeniedException"),
  },
  {
    name: "no permission for Cognito",
    onAws: "ConfirmSignUp fails: access denied; the person stays confirmed, without a row",
    change: omit(permission),
    caughtBy: failing("AccessDeniedException"),
  },
  {
    name: "the permission is another service's",
    onAws: "the same",
    change: change(permission, { principal: "apigateway.amazonaws.com" }),
    caughtBy: failing("AccessDeniedException"),
  },
  {
    name: "the permission is for another user pool",
    onAws: "the same",
    change: change(permission, {
      sourceArn: "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_another00",
    }),
    caughtBy: failing("AccessDeniedException"),
  },
  {
    name: "no environment variable `SecretName`",
    onAws: "the function fails at its first call",
    change: change(lambda, { environment: { variables: { SECRET_NAME: "ecommerce_secret" } } }),
    caughtBy: failing("SECRET_NAME_MISSING"),
  },
  {
    name: "`SecretName` names another secret",
    onAws: "the function may not read it: ConfirmSignUp fails",
    change: change(lambda, { environment: { variables: { SecretName: "another_secret" } } }),
    caughtBy: failing("SECRET_UNAVAILABLE"),
  },
  {
    name: "another name of the secret than the documented",
    onAws: "works, but who looks for `ecommerce_secret` finds none",
    change: change("secretsmanager/secret:Secret secret", { name: "users_secret" }),
    caughtBy: { row: "S4" },
  },
  {
    name: "the secret lacks `port`",
    onAws: "the function fails",
    change: secretWith({ port: undefined }),
    caughtBy: failing("SECRET_INCOMPLETE"),
  },
  {
    name: "the secret has the wrong port",
    onAws: "the function finds no database",
    change: secretWith({ port: 1 }),
    caughtBy: failing("DATABASE_UNAVAILABLE"),
  },
  {
    name: "the secret has a host that is not in the database's certificate",
    onAws: "the function does not trust the database",
    // A short way to write 0.0.0.0, which leads to this machine, and which TLS takes for a name.
    change: secretWith({ host: "0.0" }),
    caughtBy: failing("DATABASE_UNTRUSTED"),
  },
  {
    name: "the secret has the wrong user",
    onAws: "the database refuses the function",
    change: secretWith({ username: "somebody" }),
    caughtBy: failing("DATABASE_ACCESS_DENIED"),
  },
  {
    name: "the secret has another password than the user",
    onAws: "the database refuses the function",
    change: secretWith({ password: "another1another1another1" }),
    caughtBy: failing("DATABASE_ACCESS_DENIED"),
  },
  {
    name: "the function's role may not read the secret",
    onAws: "the function fails",
    change: statement("ReadSecret", undefined),
    caughtBy: failing("SECRET_UNAVAILABLE"),
  },
  {
    name: "the function's role may read another secret",
    onAws: "the function fails",
    change: statement("ReadSecret", {
      Resource: "arn:aws:secretsmanager:us-east-1:000000000000:secret:another_secret-AbCdEf",
    }),
    caughtBy: failing("SECRET_UNAVAILABLE"),
  },
  {
    name: "the function's role may not hold network interfaces",
    onAws: "CreateFunction is refused",
    change: statement("HoldNetworkInterfaces", undefined),
    caughtBy: { start: "CreateNetworkInterface" },
  },
  {
    name: "the function's role is API Gateway's",
    onAws: "CreateFunction is refused: Lambda cannot assume the role",
    change: change(role, {
      assumeRolePolicy: {
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "apigateway.amazonaws.com" } }],
      },
    }),
    caughtBy: { start: "cannot be assumed by Lambda" },
  },
  {
    name: "a handler that is not in the archive",
    onAws: "the function fails to start",
    change: change(lambda, { handler: "index.handler" }),
    caughtBy: failing("index"),
  },
  {
    name: "the archive without the bundle",
    onAws: "the function fails to start",
    change: change(lambda, ({ code }) => ({ code: withoutBundle(code) })),
    caughtBy: failing("Cannot find module"),
  },
  {
    name: "a timeout beyond the 5 s that Cognito waits",
    onAws: "Cognito gives up and calls again while the first call still runs",
    change: change(lambda, { timeout: 30 }),
    caughtBy: { row: "S5" },
  },
  {
    name: "another log group than the role may write",
    onAws: "the function runs and logs nothing",
    change: change(lambda, ({ loggingConfig }) => ({
      loggingConfig: { ...loggingConfig, logGroup: "/aws/lambda/other" },
    })),
    caughtBy: { row: "S5" },
  },
];

/** The archive's assets but those of the bundle; the class of the archive is whatever Pulumi's was. */
function withoutBundle(code: { assets: Promise<Record<string, unknown>> }) {
  const assets = Promise.resolve(code.assets).then((all) =>
    Object.fromEntries(Object.entries(all).filter(([path]) => !path.includes(".build"))),
  );
  return { assets };
}
