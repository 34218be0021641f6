/** Rotation of the database password: its resources, and the inputs whose changes the engine ignores. */
import { beforeAll, describe, expect, it } from "vitest";
import type * as config from "../../infra/config";
import { loadNatively } from "../support/native";
import { arnOf, devConfig, idOf, type Recorded, recordProgram } from "../support/program";
import { registrations } from "../support/registrations";

const on = { "ecommerce:secret": '{"rotationDays":30}' };
const functionType = "aws:lambda/function:Function";
const rotationType = "aws:secretsmanager/secretRotation:SecretRotation";
let program: Recorded;
beforeAll(async () => {
  program = await recordProgram(on);
});
const inputs = (type: string, name?: string) => program.one(type, name).inputs as Record<string, any>;
const secretArn = () => arnOf(program.one("aws:secretsmanager/secretVersion:SecretVersion"));

it("is off by default: none of its resources is registered, and all others are the same", async () => {
  const off = await recordProgram();
  const names = ({ resources }: Recorded) => resources.map(({ type, name }) => `${type} ${name}`);
  const more = names(program).filter((one) => !names(off).includes(one));
  expect(names(off).filter((one) => !names(program).includes(one))).toEqual([]);
  expect(more.toSorted()).toEqual([
    "aws:cloudwatch/logGroup:LogGroup rotate-secret-logs",
    "aws:cloudwatch/logMetricFilter:LogMetricFilter monitoring-RotationFailures",
    "aws:cloudwatch/metricAlarm:MetricAlarm monitoring-rotation-failures",
    "aws:iam/role:Role rotate-secret-role",
    "aws:iam/rolePolicy:RolePolicy rotate-secret-policy",
    "aws:lambda/function:Function rotate-secret",
    "aws:lambda/permission:Permission rotate-secret-from-secrets",
    "aws:secretsmanager/secretRotation:SecretRotation rotate-secret",
    "mysql:index/grant:Grant schema-user-passwords",
  ]);
});

it("rotates this secret with this function, at the configured interval", () => {
  expect(inputs(rotationType)).toEqual({
    secretId: secretArn(),
    rotationLambdaArn: arnOf(program.one(functionType, "rotate-secret")),
    rotationRules: { automaticallyAfterDays: 30 },
  });
});

it("lets Secrets Manager call the function for this secret of this account only", () => {
  expect(inputs("aws:lambda/permission:Permission", "rotate-secret-from-secrets")).toMatchObject({
    action: "lambda:InvokeFunction",
    function: "rotate-secret",
    principal: "secretsmanager.amazonaws.com",
    sourceArn: secretArn(),
    sourceAccount: "000000000000",
  });
});

it("runs in the registration function's subnets, with a log of its own with a retention time", () => {
  const rotate = inputs(functionType, "rotate-secret");
  expect(rotate.vpcConfig).toEqual(inputs(functionType, "register-user").vpcConfig);
  expect(rotate).toMatchObject({
    role: arnOf({ name: "rotate-secret-role" }),
    timeout: 30,
    loggingConfig: { logFormat: "JSON", logGroup: "rotate-secret-logs" },
  });
  expect(inputs("aws:cloudwatch/logGroup:LogGroup", "rotate-secret-logs").retentionInDays).toBe(30);
});

it("gets the database's address and the secret's address in variables without a secret", async () => {
  const variables = (of: Recorded) => of.one(functionType, "rotate-secret").inputs.environment;
  const direct = { DatabaseHost: "database.example.com", DatabasePort: "3306" };
  const endpoint = { SecretHost: "database.example.com", SecretPort: "3306", SecretClusterIdentifier: "database-1" };
  expect(variables(program)).toEqual({ variables: { ...direct, ...endpoint } });
  const proxied = await recordProgram({ ...on, "ecommerce:database.proxy": "true" });
  expect(variables(proxied)).toEqual({
    variables: { ...direct, ...endpoint, SecretHost: "proxy.example.com", SecretPort: "3307" },
  });
});

it("is replaced, which rotates at once, if the secret's address or first version changes", async () => {
  const rotation = async (proxy: boolean) => {
    const values = { "ecommerce:database": JSON.stringify({ proxy }) };
    const all = await registrations("staging", values);
    const { options } = all.find(({ type }) => type === rotationType)!;
    const { replacementTrigger, deleteBeforeReplace } = options as {
      replacementTrigger: any;
      deleteBeforeReplace: any;
    };
    return { trigger: await replacementTrigger.promise(), deleteBeforeReplace };
  };
  // The secret's version is the one of ID 1.
  expect(await rotation(false)).toEqual({ trigger: "database.example.com:3306 1", deleteBeforeReplace: true });
  expect(await rotation(true)).toEqual({ trigger: "proxy.example.com:3307 1", deleteBeforeReplace: true });
});

it("may only rotate the one secret, write its log and manage its network interfaces", () => {
  const { role, policy } = inputs("aws:iam/rolePolicy:RolePolicy", "rotate-secret-policy");
  expect(role).toBe(idOf({ name: "rotate-secret-role" }));
  const { Statement } = typeof policy === "string" ? JSON.parse(policy) : policy;
  expect(Statement.map(({ Sid, Resource }: any) => [Sid, Resource])).toEqual([
    ["WriteLog", `${arnOf({ name: "rotate-secret-logs" })}:*`],
    ["RotateSecret", secretArn()],
    ["HoldNetworkInterfaces", "*"],
  ]);
  expect(Statement[1].Action.toSorted()).toEqual([
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:UpdateSecretVersionStage",
  ]);
  expect(Statement[2].Action.every((action: string) => action.startsWith("ec2:"))).toBe(true);
});

it("gives the user the privilege to have two passwords", () => {
  expect(inputs("mysql:index/grant:Grant", "schema-user-passwords")).toMatchObject({
    user: "ecommerce_register",
    host: "%",
    database: "*",
    table: "*",
    privileges: ["APPLICATION_PASSWORD_ADMIN"],
  });
});

it("packs the bundled function, and no secret", async () => {
  const { code } = inputs(functionType, "rotate-secret") as { code: { assets: Promise<Record<string, unknown>> } };
  const paths = Object.keys(await code.assets);
  expect(paths.some((path) => path.endsWith(".build/us-east-1/rotateSecret.js"))).toBe(true);
  expect(paths.filter((path) => path.includes("node_modules"))).toEqual([]);
});

it.each([-1, 0, 1, 1000, 1001])("accepts secret.rotationDays from 0 to 1000: %i", (days) => {
  const { parseConfig } = loadNatively<typeof config>("infra/config/index.ts");
  const parse = () => parseConfig({ ...devConfig, "ecommerce:secret": `{"rotationDays":${days}}` }, "ecommerce", "dev");
  if (days >= 0 && days <= 1000) expect(parse()["secret.rotationDays"]).toBe(days);
  else expect(parse).toThrow(/ecommerce:secret\.rotationDays: got -?\d+; allowed is a whole number from 0 to 1000/);
});

describe("the resources' options", () => {
  const pulumi = loadNatively<typeof import("@pulumi/pulumi")>("node_modules/@pulumi/pulumi");
  const { DatabaseSecret } = loadNatively<typeof import("../../infra/database/DatabaseSecret")>(
    "infra/database/DatabaseSecret.ts",
  );
  const { DatabaseSchema } = loadNatively<typeof import("../../infra/schema/DatabaseSchema")>(
    "infra/schema/DatabaseSchema.ts",
  );
  const Resource = pulumi.CustomResource as any as new (type: string, name: string, props: object) => any;

  /** The options and inputs of each resource of user and secret. */
  async function registeredWith(rotated: boolean): Promise<Map<string, { opts: any; props: any }>> {
    await pulumi.runtime.setMocks({
      newResource: ({ name, inputs }) => ({ id: `${name}-id`, state: inputs }),
      call: ({ token }) => {
        throw new Error(`unexpected call of ${token}`);
      },
    });
    const found = new Map<string, { opts: any; props: any }>();
    const transformations: import("@pulumi/pulumi").ResourceTransformation[] = [
      ({ name, opts, props }) => {
        found.set(name, { opts, props });
        return undefined;
      },
    ];
    const server = new Resource("aws:rds/instance:Instance", "instance", {});
    const at = { address: "db.example.com", port: 3306, authorities: "an authority" };
    const administrator = { adminUsername: "admin", adminPassword: "admins-password", verifiedByBundle: true };
    new DatabaseSchema("schema", { server, serverId: "db-1", ...at, ...administrator, rotated }, { transformations });
    const fields = { username: "u", password: "p", host: "h", port: 1, dbClusterIdentifier: "d" };
    new DatabaseSecret("secret", { secretName: "ecommerce_secret", rotated }, { transformations }).write(
      fields,
      "db-1",
    );
    await pulumi.runtime.disconnect();
    return found;
  }

  it("ignore changes of the password in MySQL and in the secret while it is rotated", async () => {
    const resources = await registeredWith(true);
    expect(resources.get("schema-user")!.opts.ignoreChanges).toEqual(["plaintextPassword"]);
    expect(resources.get("secret-value")!.opts.ignoreChanges).toEqual(["secretString"]);
  });

  it("replace user, schema and secret version on another server", async () => {
    const rotated = await registeredWith(true);
    for (const name of [
      "schema-database",
      "schema-user",
      "schema-user-grant",
      "schema-user-passwords",
      "schema-tables",
      "secret-value",
    ]) {
      expect([name, rotated.get(name)!.opts.replacementTrigger]).toEqual([name, "db-1"]);
    }
    expect((await registeredWith(false)).get("secret-value")!.opts.replacementTrigger).toBeUndefined();
  });

  it("retain the secret's version, whose labels a rotation has moved", async () => {
    for (const rotated of [true, false])
      expect((await registeredWith(rotated)).get("secret-value")!.opts.retainOnDelete).toBe(true);
  });

  it("ignore nothing without rotation, and generate a new password when rotation is turned off", async () => {
    const [off, on] = [await registeredWith(false), await registeredWith(true)];
    expect(off.get("schema-user")!.opts.ignoreChanges ?? []).toEqual([]);
    expect(off.get("secret-value")!.opts.ignoreChanges ?? []).toEqual([]);
    // The random provider generates a new password when these change.
    expect(off.get("schema-user-password")!.props.keepers).toBeUndefined();
    expect(on.get("schema-user-password")!.props.keepers).toEqual({ rotated: "true" });
  });

  it("revoke the privilege when rotation is turned off, unless the user is deleted too", async () => {
    const { opts } = (await registeredWith(true)).get("schema-user-passwords")!;
    expect(opts.retainOnDelete ?? false).toBe(false);
    expect(opts.deletedWith).toBeDefined();
  });
});
