/** The function that makes a private database's schema and user: what the program packages, run in a container, on MySQL. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { type Connection, createConnection } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import type { ResourceRegistration } from "../../host/resources";
import type { ApplyEvent } from "../../schema/plan";
import { type LambdaService, startLambda } from "../local/services/lambda/support";
import { connectToTestServer, schemaFor, testServer } from "../schema/support";
import { loadNatively, projectRoot } from "../support/native";

const database = `apply_schema_${process.pid}`;
/** All characters that end a literal or begin a placeholder, and a part that a search of the logs finds. */
const password = `pässw0rd-${process.pid}-\\'"\`?%_;-- \\`;
const name = `o'Br"ien\\ ?\`${process.pid}`;
const administrator = { user: `rds_admin_${process.pid}`, password: `administrator-${process.pid}'s` };

/** What RDS gives its master user, as far as MySQL 8.4 and 9 know it. */
const masterPrivileges =
  "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, REFERENCES, INDEX, ALTER, SHOW DATABASES, " +
  "CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, CREATE USER, " +
  "EVENT, TRIGGER, CREATE ROLE, DROP ROLE, APPLICATION_PASSWORD_ADMIN, ROLE_ADMIN";

let lambdaService: LambdaService;
let admin: Connection;
let invocation: ResourceRegistration;
/** Inputs of the function, but for its role. */
let declared: Record<string, unknown>;
const functionName = "schema-apply";

beforeAll(async () => {
  admin = await connectToTestServer();
  await admin.query("CREATE USER ?@'%' IDENTIFIED BY ? REQUIRE SSL", [administrator.user, administrator.password]);
  await admin.query(`GRANT ${masterPrivileges} ON *.* TO ?@'%' WITH GRANT OPTION`, [administrator.user]);
  lambdaService = await startLambda();
  const registered = await register();
  invocation = registered.find(({ type }) => type === "aws:lambda/invocation:Invocation")!;
  const { inputs } = registered.find(({ type }) => type === "aws:lambda/function:Function")!;
  declared = { ...inputs, name: functionName, vpcConfig: undefined };
  await lambdaService.make(functionName, "", { ...declared, role: lambdaService.role });
});

beforeEach(async () => {
  await admin.query(`DROP DATABASE IF EXISTS \`${database}\``);
  await admin.query("DROP USER IF EXISTS ?@'%'", [name]);
});

afterAll(async () => {
  await admin?.query(`DROP DATABASE IF EXISTS \`${database}\``);
  await admin?.query("DROP USER IF EXISTS ?@'%', ?@'%'", [name, administrator.user]);
  await admin?.end();
  await lambdaService?.end();
});

/** What the component registers; its archive is what Pulumi would upload. */
async function register(): Promise<ResourceRegistration[]> {
  const pulumi = loadNatively<typeof import("@pulumi/pulumi")>("node_modules/@pulumi/pulumi");
  const { DatabaseSchema } = loadNatively<typeof import("../../infra/schema/DatabaseSchema")>(
    "infra/schema/DatabaseSchema.ts",
  );
  const { bundleFunctions } = loadNatively<typeof import("../../infra/lambda/bundle")>("infra/lambda/bundle.ts");
  const { applySchema } = await bundleFunctions("us-east-1", ["applySchema"]);
  // Where the program runs, and from where Pulumi reads the files of archives.
  process.chdir(path.join(projectRoot, "infra"));
  const seen: ResourceRegistration[] = [];
  await pulumi.runtime.setMocks({
    call: ({ token }) => {
      throw new Error(`unexpected call of ${token}`);
    },
    newResource: ({ type, name, inputs }) => {
      seen.push({ type, name, inputs });
      return { id: `${name}-id`, state: { ...inputs, name, result: "drawn" } };
    },
  });
  const Instance = pulumi.CustomResource as any as new (type: string, name: string, props: object) => any;
  new DatabaseSchema("schema", {
    server: new Instance("aws:rds/instance:Instance", "instance", {}),
    serverId: "db-1",
    address: "localhost",
    port: 3306,
    adminUsername: "admin",
    adminPassword: "admins",
    authorities: "",
    viaLambda: { bundle: applySchema, subnetIds: ["subnet-1"], securityGroupId: "sg-1", logRetentionDays: 30 },
  });
  await pulumi.runtime.disconnect();
  return seen;
}

type Event = ApplyEvent & { check?: boolean };

/** What the program would hand over for this server, with a part of it replaced. */
function eventFor(change: Partial<Event> = {}): Event {
  const { host, port, authorities } = testServer();
  return {
    server: { host, port, authorities, ...administrator },
    database,
    sql: schemaFor(database),
    migrations: [],
    user: { name, password, privileges: ["INSERT", "SELECT"], rotated: false },
    ...change,
  };
}

const apply = (change?: Partial<Event>) => lambdaService.invoke(functionName, eventFor(change));
const rotated = (change = {}) => apply({ user: { ...eventFor().user, rotated: true, ...change } });
const grants = async () => (await query("SHOW GRANTS FOR ?@'%'", [name])).map((row) => Object.values(row)[0]);
const query = async (sql: string, values: unknown[] = []) => (await admin.query(sql, values))[0] as any[];

async function logIn(secret: string): Promise<Connection> {
  const { host, port, authorities } = testServer();
  return createConnection({ host, port, user: name, password: secret, ssl: { ca: authorities, verifyIdentity: true } });
}

async function accepts(secret: string): Promise<boolean> {
  try {
    await (await logIn(secret)).end();
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === "ER_ACCESS_DENIED_ERROR") return false;
    throw error;
  }
}

function logs(): string {
  const folder = path.join(lambdaService.context.directory, "logs");
  return readdirSync(folder)
    .map((file) => readFileSync(path.join(folder, file), "utf8"))
    .join("\n");
}

const account = `\`${name.replaceAll("`", "``")}\`@\`%\``;
const onUsers = (privileges: string) => `GRANT ${privileges} ON \`${database}\`.\`users\` TO ${account}`;
const usage = `GRANT USAGE ON *.* TO ${account}`;

describe("the invocation", () => {
  it("has the files' names as the only triggers", () => {
    expect(invocation.inputs).toMatchObject({
      functionName,
      lifecycleScope: "CREATE_ONLY",
      triggers: { "ecommerceSchema.sql": expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    expect(Object.keys(invocation.inputs.triggers as object)).toHaveLength(1);
  });
});

describe("the function", () => {
  it("makes database, tables, migrations and user, and returns what it did", async () => {
    const migrations = [{ name: "0001_status", sql: "ALTER TABLE orders ADD Order_Status varchar(20);" }];
    const { failed, answer } = await apply({ migrations });
    expect({ failed, answer }).toEqual({
      failed: false,
      answer: {
        tables: ["addresses", "category", "orders", "orders_detail", "products", "users"],
        migrations: ["0001_status"],
        user: "created",
      },
    });
    expect(await query(`SHOW COLUMNS FROM \`${database}\`.orders LIKE 'Order_Status'`)).toHaveLength(1);
    expect(await grants()).toEqual([usage, onUsers("SELECT, INSERT")]);

    const connection = await logIn(password);
    await connection.query(`INSERT INTO \`${database}\`.users (User_UUID, User_DateAdd) VALUES ('u', now())`);
    await expect(connection.query(`DELETE FROM \`${database}\`.users`)).rejects.toMatchObject({
      code: "ER_TABLEACCESS_DENIED_ERROR",
    });
    await connection.end();
    const [{ ssl_type }] = await query("SELECT ssl_type FROM mysql.user WHERE user = ?", [name]);
    expect(ssl_type).toBe("ANY");

    expect((await apply({ migrations })).answer).toMatchObject({ migrations: [], user: "passwordSet" });
    expect(await query(`SELECT User_UUID FROM \`${database}\`.users`)).toEqual([{ User_UUID: "u" }]);
    for (const code of ["SCHEMA_FILE_APPLIED", "MIGRATION_APPLIED", "USER_READY"]) expect(logs()).toContain(code);
  });

  it("may be invoked twice at once", async () => {
    const results = await Promise.all([apply(), apply()]);
    expect(results.map(({ failed }) => failed)).toEqual([false, false]);
    expect(results.map(({ answer }) => answer.user).sort()).toEqual(["created", "passwordSet"]);
  });

  it("leaves a rotated user its password, and takes over when rotation is off", async () => {
    expect((await rotated()).answer.user).toBe("created");
    expect(await accepts(password)).toBe(true);
    expect(await grants()).toEqual(
      expect.arrayContaining([`GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO ${account}`, onUsers("SELECT, INSERT")]),
    );
    const own = await logIn(password);
    await own.query("ALTER USER USER() IDENTIFIED BY 'its own' RETAIN CURRENT PASSWORD");
    await own.end();

    expect((await rotated({ password: "of the program" })).answer.user).toBe("passwordKept");
    expect([await accepts("its own"), await accepts(password), await accepts("of the program")]).toEqual([
      true,
      true,
      false,
    ]);

    expect((await apply({ user: { ...eventFor().user, password: "drawn anew" } })).answer.user).toBe("passwordSet");
    expect([await accepts("its own"), await accepts(password), await accepts("drawn anew")]).toEqual([
      false,
      false,
      true,
    ]);
    expect(await grants()).toEqual([usage, onUsers("SELECT, INSERT")]);
  });

  it("revokes surplus privileges, and only those", async () => {
    await apply();
    await admin.query(
      `GRANT UPDATE, DELETE, REFERENCES (User_Email) ON \`${database}\`.users TO ?@'%' WITH GRANT OPTION`,
      [name],
    );
    await admin.query(`GRANT SELECT ON \`${database}\`.* TO ?@'%'`, [name]);
    await admin.query("GRANT PROCESS, ROLE_ADMIN ON *.* TO ?@'%'", [name]);
    await apply();
    expect(await grants()).toEqual([usage, onUsers("SELECT, INSERT")]);
    await apply({ user: { ...eventFor().user, privileges: ["INSERT"] } });
    expect(await grants()).toEqual([usage, onUsers("INSERT")]);
  });

  it("waits for a server that is starting, for less than its own time", async () => {
    const server = { ...eventFor().server, port: 1, waitSeconds: 1 };
    const { failed, answer } = await apply({ server });
    expect(failed).toBe(true);
    expect(answer).toMatchObject({ errorType: "SchemaError" });
    expect(answer.errorMessage).toContain("Cannot reach MySQL at localhost:1 (waited 1 s)");
  });

  it("verifies the server", async () => {
    const { rdsCaCerts } =
      loadNatively<typeof import("../../infra/database/rdsCaCerts")>("infra/database/rdsCaCerts.ts");
    const { answer } = await apply({ server: { ...eventFor().server, authorities: rdsCaCerts("us-east-1") } });
    expect(answer.errorMessage).toContain("No trusted connection");
  });

  it("also trusts the file of NODE_EXTRA_CA_CERTS, and reports a file that cannot be read", async () => {
    const { rdsCaCerts } =
      loadNatively<typeof import("../../infra/database/rdsCaCerts")>("infra/database/rdsCaCerts.ts");
    const server = { ...eventFor().server, authorities: rdsCaCerts("us-east-1") };
    for (const [file, message] of [
      [inject("mysql").caFile, undefined],
      ["/nowhere.pem", "The file that NODE_EXTRA_CA_CERTS names cannot be read"],
    ] as const) {
      const local = await startLambda({ NODE_EXTRA_CA_CERTS: file });
      try {
        await local.make(functionName, "", { ...declared, role: local.role });
        const { failed, answer } = await local.invoke(functionName, eventFor({ server }));
        expect([failed, answer.errorMessage]).toEqual([
          message !== undefined,
          message && expect.stringContaining(message),
        ]);
      } finally {
        await local.end();
      }
    }
  });

  it.each([
    [{ user: undefined }, "The event lacks user.name, user.password, user.privileges"],
    [{ server: undefined }, "The event lacks server.host"],
    [{ user: { name: "", password, privileges: ["INSERT"], rotated: false } }, "Allowed are 1 to 32"],
    [{ user: { name, password, privileges: ["ALL ON *.* TO root; --"], rotated: false } }, "in capitals"],
    [
      { migrations: [{ name: "0001_drop", sql: "DROP TABLE users" }] },
      "0001_drop was refused before anything was sent",
    ],
  ])("refuses %j", async (change, message) => {
    const { failed, answer } = await apply(change as any);
    expect(failed).toBe(true);
    expect(answer).toMatchObject({ errorType: "SchemaError", errorMessage: expect.stringContaining(message) });
  });

  it("names the statement about the user that MySQL refuses, without the password", async () => {
    await apply();
    // MySQL itself refuses a privilege that does not exist.
    const { answer } = await apply({ user: { ...eventFor().user, privileges: ["NO SUCH PRIVILEGE"] } });
    expect(answer.errorMessage).toMatch(
      /^The database user could not be made ready \(GRANT NO SUCH PRIVILEGE ON .*ER_PARSE_ERROR/,
    );
    // Only a user with SYSTEM_USER may change such a user.
    await admin.query("GRANT SYSTEM_USER ON *.* TO ?@'%'", [name]);
    const refused = await apply();
    expect(refused.answer.errorMessage).toMatch(/ALTER USER 'o\\'Br.*IDENTIFIED BY '\*\*\*' REQUIRE SSL\): ER_/);
  });

  it("returns the definitions of the tables for a check event, and changes nothing", async () => {
    await apply();
    const { answer } = await lambdaService.invoke(functionName, { check: true, server: eventFor().server, database });
    expect(Object.keys(answer.shapes)).toHaveLength(6);
    expect(answer.shapes.users).toContain("`User_Email` varchar(100)");
    expect(answer.version).toMatch(/^\d+\.\d+/);
  });

  it("has written no password to its log", () => {
    // After all tests above: those parts of the passwords that no escaping changes.
    for (const secret of [`pässw0rd-${process.pid}`, `administrator-${process.pid}`, "drawn anew", "of the program"]) {
      expect(logs()).not.toContain(secret);
    }
    expect(logs()).toContain("SCHEMA_FAILED");
  });
});
