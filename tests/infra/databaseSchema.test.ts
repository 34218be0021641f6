import { createHash } from "node:crypto";
import path from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { bundleFunctions } from "../../infra/lambda/bundle";
import type { DatabaseSchemaArgs } from "../../infra/schema/DatabaseSchema";
import type { ApplyEvent } from "../../schema/plan";
import { schemaFile, schemaFor } from "../schema/support";
import { projectRoot } from "../support/native";
import {
  generatedPassword,
  Instance,
  make,
  mock,
  options,
  plain,
  pulumi,
  secretMark,
  seen,
  the,
  types,
  useMocks,
  value,
  warnings,
} from "./schemaComponent";

useMocks();

describe("S3: DatabaseSchema", () => {
  it("registers exactly these resources, in an order that MySQL accepts", async () => {
    await make();
    expect(seen.map(({ name }) => name).sort()).toEqual([
      "instance",
      "schema",
      "schema-database",
      "schema-mysql",
      "schema-tables",
      "schema-user",
      "schema-user-grant",
      "schema-user-password",
    ]);
    const order = seen.map(({ type }) => type);
    const isBefore = (one: string, other: string) => expect(order.indexOf(one)).toBeLessThan(order.indexOf(other));
    isBefore(types.database, types.file);
    isBefore(types.file, types.grant);
    isBefore(types.user, types.grant);
  });

  it("connects as the administrator, and passes the password as a secret", async () => {
    await make();
    const { inputs } = the(types.provider);
    expect(inputs).toMatchObject({ endpoint: "db.example.com:3306", username: "admin", tls: "skip-verify" });
    expect(plain(inputs.password)).toBe("admins-password");
    for (const type of [types.database, types.user, types.grant]) {
      expect(the(type).provider).toContain("::schema-mysql::");
    }
  });

  it("makes the documented database, and never drops it", async () => {
    const { instance } = await make();
    expect(the(types.database).inputs).toEqual({
      name: "ecommerce_db",
      defaultCharacterSet: "utf8mb4",
      defaultCollation: "utf8mb4_0900_ai_ci",
    });
    expect(options.get(types.database).deletedWith).toBe(instance);
  });

  it("can be removed from the program without a connection: retained, and not protected", async () => {
    await make({ rotated: true });
    for (const type of [types.database, types.user]) {
      expect(options.get(type)).toMatchObject({ retainOnDelete: true });
      expect(options.get(type).protect).toBeUndefined();
    }
  });

  it("makes a user for the function that must use TLS, with a password that needs no quoting", async () => {
    await make();
    expect(the(types.password).inputs).toEqual({ length: 32, special: false });
    const { plaintextPassword, ...rest } = the(types.user).inputs;
    expect(rest).toEqual({ user: "ecommerce_register", host: "%", tlsOption: "SSL" });
    expect(plain(plaintextPassword)).toBe(generatedPassword);
  });

  it("lets that user insert into and read `users`, and nothing else", async () => {
    await make();
    expect(the(types.grant).inputs).toEqual({
      user: "ecommerce_register",
      host: "%",
      database: "ecommerce_db",
      table: "users",
      privileges: ["INSERT", "SELECT"],
    });
  });

  it("needs no connection when the instance is deleted, because everything is deleted with it", async () => {
    const { instance } = await make();
    expect(options.get(types.user).deletedWith).toBe(instance);
    expect(options.get(types.file).deletedWith).toBe(instance);
    const { deletedWith, retainOnDelete } = options.get(types.grant);
    expect(await value(deletedWith.urn)).toMatch(/::schema-user$/);
    expect(retainOnDelete).toBe(true);
  });

  it("uses names and privileges from its arguments", async () => {
    const { component } = await make({
      databaseName: "other_db",
      sql: schemaFor("other_db"),
      userName: "someone",
      userPrivileges: ["INSERT"],
    });
    expect(the(types.database).inputs.name).toBe("other_db");
    expect(the(types.user).inputs.user).toBe("someone");
    expect(the(types.grant).inputs).toMatchObject({ database: "other_db", user: "someone", privileges: ["INSERT"] });
    expect(await value(component.databaseName)).toBe("other_db");
    expect(await value(component.userName)).toBe("someone");
  });

  it("outputs the function user's password as a secret", async () => {
    const { component } = await make();
    expect(await pulumi.isSecret(component.userPassword)).toBe(true);
    expect(await value(component.userPassword)).toBe(generatedPassword);
  });

  it("warns once, with the command to run, if the server is not verified", async () => {
    await make();
    await vi.waitFor(() => expect(warnings).toHaveLength(1));
    expect(warnings[0]).toMatch(/not verified.*npm run ca-bundle/);
  });

  it("verifies without a warning if the environment supplies the authorities", async () => {
    await make({ verifiedByBundle: true });
    expect(the(types.provider).inputs.tls).toBe("true");
    expect(warnings).toEqual([]);
  });

  it("can be previewed while the instance's address is unknown", async () => {
    mock(true);
    const unknown = new Instance("aws:rds/instance:Instance", "unknown", { address: undefined });
    await make({ address: unknown.address });
    expect(the(types.file).inputs).toMatchObject({ databaseName: "ecommerce_db" });
    expect(pulumi.isUnknown(the(types.file).inputs.host)).toBe(true);
    expect(pulumi.isUnknown(the(types.provider).inputs.endpoint)).toBe(true);
  });
});

describe("S3: the schema file as a resource", () => {
  it("has the file's text, its checksum and its tables as inputs, so that a preview shows them", async () => {
    await make();
    const { inputs } = the(types.file);
    expect(inputs.sql).toBe(schemaFile);
    expect(inputs.checksum).toMatch(/^[0-9a-f]{64}$/);
    expect(inputs.tables).toEqual(["addresses", "category", "orders", "orders_detail", "products", "users"]);
  });

  it("marks the administrator's password as a secret in inputs and state, also if it was passed as plain text", async () => {
    await make({ adminPassword: "given-in-plain" });
    const { inputs } = the(types.file);
    expect(inputs.password).toMatchObject({ [secretMark]: expect.any(String), value: "given-in-plain" });
    expect(options.get(types.file).additionalSecretOutputs).toContain("password");
    const { password: _, ...others } = inputs;
    expect(JSON.stringify(others)).not.toContain("given-in-plain");
  });

  it("refuses a file that drops a table or names another database, before it is registered", async () => {
    await expect(make({ sql: `${schemaFile}\nDROP TABLE users;` })).rejects.toThrow("refused before anything was sent");
    await expect(make({ databaseName: "other_db" })).rejects.toThrow(/"ecommerce_db".*"other_db"/);
    expect(seen.map(({ type }) => type)).not.toContain(types.file);
  });
});

describe("S3: a private database's schema", () => {
  const added = { name: "0001_added", sql: "ALTER TABLE orders ADD a int;" };
  const viaLambda = { bundle: "", subnetIds: ["subnet-1"], securityGroupId: "sg-1", logRetentionDays: 14 };
  const makePrivate = (args: Partial<DatabaseSchemaArgs> = {}) => make({ viaLambda, ...args });
  const event = (): ApplyEvent => JSON.parse(plain(the(types.invocation).inputs.input));
  beforeAll(async () => {
    viaLambda.bundle = (await bundleFunctions("us-east-1", ["applySchema"])).applySchema;
  });
  beforeEach(() => process.chdir(path.join(projectRoot, "infra")));
  afterEach(() => process.chdir(projectRoot));

  it("is made by a function in the VPC: nothing connects from where Pulumi runs", async () => {
    await makePrivate();
    expect(seen.map(({ name }) => name).sort()).toEqual([
      "instance",
      "schema",
      "schema-applied",
      "schema-apply",
      "schema-apply-logs",
      "schema-apply-policy",
      "schema-apply-role",
      "schema-user-password",
    ]);
    expect(the(types.function).inputs).toMatchObject({
      vpcConfig: { subnetIds: ["subnet-1"], securityGroupIds: ["sg-1"] },
      timeout: 900,
      architectures: ["arm64"],
      loggingConfig: { logFormat: "JSON", logGroup: "schema-apply-logs" },
    });
    expect(the(types.logs).inputs.retentionInDays).toBe(14);
    expect(warnings).toEqual([]);
  });

  it("gives the function only rights for its log and its network interfaces, and no credentials", async () => {
    await makePrivate();
    const { Statement } = the(types.policy).inputs.policy;
    expect(Statement.map(({ Sid }: { Sid: string }) => Sid)).toEqual(["WriteLog", "HoldNetworkInterfaces"]);
    expect(the(types.function).inputs.environment?.variables ?? {}).toEqual({});
  });

  it("invokes the function with the whole event as a secret, and the files' checksums as triggers", async () => {
    await makePrivate({ rotated: true, migrations: [added] });
    const { input, triggers, ...rest } = the(types.invocation).inputs;
    expect(input[secretMark]).toBeDefined();
    expect(event()).toEqual({
      server: {
        host: "db.example.com",
        port: 3306,
        user: "admin",
        password: "admins-password",
        authorities: "an authority",
      },
      database: "ecommerce_db",
      sql: schemaFile,
      migrations: [added],
      user: {
        name: "ecommerce_register",
        password: generatedPassword,
        privileges: ["INSERT", "SELECT"],
        rotated: true,
      },
    });
    const sum = (text: string) => createHash("sha256").update(text).digest("hex");
    expect(triggers).toEqual({ "ecommerceSchema.sql": sum(schemaFile), "0001_added": sum(added.sql) });
    expect(rest).toEqual({ functionName: "schema-apply", lifecycleScope: "CREATE_ONLY" });
  });

  it("has the same password and the same outputs as the schema of a public database", async () => {
    const { component } = await makePrivate();
    const passwordInputs = the(types.password).inputs;
    expect(await pulumi.isSecret(component.userPassword)).toBe(true);
    const outputs = async ({ component: it }: Awaited<ReturnType<typeof make>>) =>
      Promise.all([it.databaseName, it.userName, it.userPassword].map((output) => value<string>(output)));
    const privateOutputs = await outputs({ component } as Awaited<ReturnType<typeof make>>);
    expect(component.grant).toBe(component.tables);
    expect(component.passwordGrant).toBeUndefined();
    seen.length = 0;
    expect(await outputs(await make())).toEqual(privateOutputs);
    expect(the(types.password).inputs).toEqual(passwordInputs);
  });

  it("depends on the instance, and is deleted with it", async () => {
    const { instance } = await makePrivate({ rotated: true });
    expect(options.get(types.invocation).deletedWith).toBe(instance);
    expect(options.get(types.invocation).dependsOn).toContain(instance);
  });

  it("can be previewed while the instance's address is unknown, with the files named", async () => {
    mock(true);
    const unknown = new Instance("aws:rds/instance:Instance", "unknown", { address: undefined });
    await makePrivate({ address: unknown.address, migrations: [added] });
    expect(Object.keys(the(types.invocation).inputs.triggers).sort()).toEqual(["0001_added", "ecommerceSchema.sql"]);
  });

  it.each([
    [
      "a schema file that drops a table",
      { sql: `${schemaFile}\nDROP TABLE users;` },
      "refused before anything was sent",
    ],
    [
      "a gap in the numbers",
      { migrations: [{ ...added, name: "0002_added" }] },
      "0002_added stands where number 0001 should be",
    ],
    [
      "a migration that drops a table",
      { migrations: [{ ...added, sql: "DROP TABLE users" }] },
      "Migration 0001_added was refused",
    ],
  ])("refuses %s before anything is registered, like the schema of a public database", async (_what, args, message) => {
    await expect(makePrivate(args)).rejects.toThrow(message);
    await expect(make(args)).rejects.toThrow(message);
    expect(seen.map(({ name }) => name)).not.toContain("schema-user-password");
  });
});
