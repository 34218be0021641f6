import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ResourceRegistration } from "../../../../host/resources";
import { maxConnectErrors } from "../../../../infra/database/databaseTypes";
import type { ServiceContext } from "../../../../local/lib/service";
import { findMySql } from "../../../../local/mysql/sources";
import { readGrants } from "../../../../local/services/rds/grant";
import { MySql } from "../../../../local/services/rds/MySql";
import { mysqlProviderHandlers } from "../../../../local/services/rds/mysqlProvider";
import { refusal } from "../../../support/failures";
import { group, groupType, instance, instanceType, makeBy, master, newContext, queryOnce } from "../../mysql/support";

const providerType = "pulumi:providers:mysql";
const databaseType = "mysql:index/database:Database";
const userType = "mysql:index/user:User";
const grantType = "mysql:index/grant:Grant";

let reported: string[] = [];
let context: ServiceContext;
let mysql: MySql;
beforeAll(async () => {
  context = await newContext((line) => reported.push(line));
  mysql = await MySql.start(context, (say) => findMySql(say, { ...process.env, LOCAL_MYSQL_URL: undefined }));
});
beforeEach(() => {
  reported = [];
});
afterAll(async () => {
  await Promise.all([mysql?.close(), mysql?.close()]);
  await rm(context.directory, { recursive: true });
});

const make = (type: string, inputs: object, extra?: Partial<ResourceRegistration>) =>
  makeBy(mysql, type, inputs, extra);
const query = (user: string, password: string, sql: string) =>
  queryOnce({ ...mysql.administrator, user, password, caFile: mysql.caFile }, sql);
const asAdministrator = (sql: string) => query(mysql.administrator.user, mysql.administrator.password, sql);

const makeInstance = (inputs: object = {}) =>
  make(instanceType, { ...instance, parameterGroupName: "shop", ...inputs });

describe("the instance", () => {
  beforeAll(() => make(groupType, group));

  it("returns the outputs that RDS returns", async () => {
    const { id, outputs } = await makeInstance({ identifier: "shop-db" });
    const { port } = mysql.administrator;
    expect(id).toMatch(/^db-[0-9A-Z]{26}$/);
    expect(outputs).toMatchObject({
      address: "localhost",
      endpoint: `localhost:${port}`,
      port,
      identifier: "shop-db",
      arn: "arn:aws:rds:us-east-1:123456789012:db:shop-db",
      resourceId: id,
      status: "available",
    });
    expect((await makeInstance({ identifier: "shop-db" })).id).toBe(id);
  });

  it("grants the master user what RDS grants, and no more", async () => {
    await makeInstance();
    const grants = (await query(master.username, master.password, "SHOW GRANTS")).map((row) =>
      String(Object.values(row)[0]),
    );
    const held = readGrants(grants, "*.*");
    for (const given of ["SELECT", "CREATE USER", "EVENT", "ROLE_ADMIN", "REPLICATION CLIENT", "GRANT OPTION"]) {
      expect(held).toContain(given);
    }
    for (const kept of ["SUPER", "FILE", "SHUTDOWN", "ALL PRIVILEGES", "SYSTEM_VARIABLES_ADMIN", "CONNECTION_ADMIN"]) {
      expect(held).not.toContain(kept);
    }
    for (const forbidden of ["SET GLOBAL max_connections = 5", "SHUTDOWN", "SELECT 1 INTO OUTFILE '/tmp/x'"]) {
      await expect(query(master.username, master.password, forbidden)).rejects.toMatchObject({ errno: 1227 });
    }
  });

  it("applies a changed master password", async () => {
    await makeInstance({ password: "An0ther-Password" });
    await expect(query(master.username, master.password, "SELECT 1")).rejects.toMatchObject({ errno: 1045 });
    await query(master.username, "An0ther-Password", "SELECT 1");
    await makeInstance();
    await query(master.username, master.password, "SELECT 1");
  });

  it("applies the parameter group", async () => {
    const further = [{ name: "max_connections", value: "77" }, maxConnectErrors];
    await make(groupType, { ...group, parameters: [...group.parameters, ...further] });
    await makeInstance();
    const set = "SELECT @@require_secure_transport AS tls, @@max_connections AS n, @@max_connect_errors AS errors";
    expect(await asAdministrator(set)).toEqual([{ tls: 1, n: 77, errors: Number(maxConnectErrors.value) }]);
    const { port } = mysql.administrator;
    await expect(
      createConnection({ host: "localhost", port, user: master.username, password: master.password }),
    ).rejects.toMatchObject({
      errno: 3159,
    });
  });

  it("reports a parameter that needs a restart, and refuses one that does not exist", async () => {
    await make(groupType, {
      name: "static",
      family: "mysql8.4",
      parameters: [{ name: "innodb_read_io_threads", value: "8" }],
    });
    await makeInstance({ parameterGroupName: "static" });
    expect(reported).toContainEqual(
      expect.stringContaining("innodb_read_io_threads can only be set when MySQL starts"),
    );
    await make(groupType, { name: "wrong", family: "mysql8.4", parameters: [{ name: "no_such_thing", value: "8" }] });
    expect(await refusal(makeInstance({ parameterGroupName: "wrong" }))).toContain(
      "sets no_such_thing, which does not exist in this MySQL",
    );
  });

  it("creates the database of dbName, and keeps it the next time", async () => {
    await makeInstance({ dbName: "first" });
    await asAdministrator("CREATE TABLE IF NOT EXISTS first.t (n INT)");
    await makeInstance({ dbName: "first" });
    expect(await asAdministrator("SHOW TABLES IN first")).toHaveLength(1);
  });

  it("reports that another version runs than the program asks for, and does not fail", async () => {
    await make(groupType, { name: "old", family: "mysql8.0", parameters: [] });
    await makeInstance({ engineVersion: "8.0.40", parameterGroupName: "old" });
    const { version } = (await asAdministrator("SELECT VERSION() AS version"))[0];
    if (!version.startsWith("8.0")) expect(reported.join()).toMatch(/asks for MySQL 8\.0\.40, and \d+\.\d+\.\d+ runs/);
  });

  it.each<[object, RegExp]>([
    [{ engine: "postgres" }, /engine is "postgres", and must be mysql/],
    [{ engineVersion: "5.7" }, /engineVersion is 5\.7, and must be 8\.0 or newer/],
    [{ username: "rdsadmin" }, /username is "rdsadmin", and must be 1 to 16/],
    [{ username: "a_name_that_is_too_long" }, /username is .* must be 1 to 16/],
    [{ username: undefined }, /username is not set/],
    [{ password: "short" }, /password is not 8 to 41 printable/],
    [{ password: "with@sign-123" }, /password is not 8 to 41/],
    [{ password: undefined, manageMasterUserPassword: true }, /manageMasterUserPassword is not supported/],
    [{ dbName: "9lives" }, /dbName is "9lives"/],
    [{ identifier: "Shop--db" }, /identifier is "Shop--db"/],
    [{ allocatedStorage: 5 }, /allocatedStorage is 5, and must be 20 to 65536/],
    [{ allocatedStorage: "20" }, /allocatedStorage is "20", and must be a number/],
    [{ parameterGroupName: "unheard" }, /parameterGroupName is unheard, and no such group/],
    [{ engineVersion: "8.0" }, /group shop is for mysql8\.4, and engine is mysql, engineVersion is 8\.0/],
  ])("refuses what RDS would refuse: %o", async (inputs, message) => {
    const error = await refusal(makeInstance(inputs));
    expect(error).toMatch(message);
    expect(error).toContain('aws:rds/instance:Instance "thing"');
    expect(error).not.toMatch(/short|with@sign/);
  });

  it("is the only database", async () => {
    expect(await refusal(make(instanceType, instance, { name: "second" }))).toContain(
      '"thing" is that database already',
    );
  });
});

describe("the mysql provider", () => {
  const provider = () => ({
    endpoint: `localhost:${mysql.administrator.port}`,
    username: master.username,
    password: master.password,
    tls: "true",
  });
  const one = (type: string, inputs: object, name = "thing") =>
    make(type, inputs, { name, providerInputs: provider() });
  beforeAll(async () => {
    await make(groupType, group);
    await makeInstance();
  });

  it.each<[string, object, RegExp | undefined]>([
    ["verifies the server", { tls: "true" }, undefined],
    ["encrypts without verifying", { tls: "skip-verify" }, undefined],
    ["does not encrypt, which the server refuses", { tls: "false" }, /insecure transport are prohibited/],
    ["does not encrypt by default", { tls: undefined }, /insecure transport are prohibited/],
    ["has a wrong password", { password: "wrong-secret" }, /Access denied/],
    ["has an unknown value of tls", { tls: "maybe" }, /tls is maybe, and may be "true", "skip-verify" or "false"/],
    ["has a wrong endpoint", { endpoint: "localhost" }, /endpoint is localhost, and must be host:port/],
    ["has no server", { endpoint: "127.0.0.1:1" }, /cannot connect to 127\.0\.0\.1:1: .*ECONNREFUSED/],
    ["names a proxy, which is not supported", { proxy: "socks5://x" }, /proxy is not supported/],
  ])("%s", async (_what, inputs, message) => {
    const making = make(providerType, { ...provider(), ...inputs });
    if (message === undefined) await expect(making).resolves.toMatchObject({ id: "thing" });
    else expect(await refusal(making)).toMatch(message);
  });

  it("verifies with the system's authorities only, if no other file is given", async () => {
    const connect = mysqlProviderHandlers()[providerType]!;
    const making = Promise.resolve(connect({ type: providerType, name: "thing", inputs: provider() }));
    expect(await refusal(making)).toMatch(/certificate|authority/i);
  });

  it("must be named by each resource", async () => {
    expect(await refusal(make(databaseType, { name: "d" }))).toContain("has no provider of its own");
  });

  it("creates a database once, keeps its tables, and applies changed options", async () => {
    const inputs = { name: "ecommerce_db", defaultCharacterSet: "utf8mb4", defaultCollation: "utf8mb4_0900_ai_ci" };
    expect((await one(databaseType, inputs)).id).toBe("ecommerce_db");
    await asAdministrator("CREATE TABLE IF NOT EXISTS ecommerce_db.users (id INT, mail VARCHAR(9), name VARCHAR(9))");
    await one(databaseType, { name: "ecommerce_db" });
    expect((await asAdministrator("SHOW CREATE DATABASE ecommerce_db"))[0]["Create Database"]).toContain(
      "utf8mb4_general_ci",
    );
    await one(databaseType, inputs);
    expect(await asAdministrator("SHOW TABLES IN ecommerce_db")).toHaveLength(1);
    expect(await refusal(one(databaseType, inputs, "twin"))).toContain('ecommerce_db is already created by "thing"');
    expect(await refusal(one(databaseType, { name: "x", defaultCollation: "nonsense" }))).toContain(
      "Unknown collation",
    );
  });

  const user = { user: "trigger", host: "%", plaintextPassword: "first-password", tlsOption: "SSL" };

  it("creates a user once and applies a changed password", async () => {
    const { id, outputs } = await one(userType, user);
    expect(id).toBe("trigger@%");
    // As the real provider: the state has a hash, so a program cannot read the password back.
    expect(outputs.plaintextPassword).toBe(createHash("sha256").update("first-password").digest("hex"));
    await query("trigger", "first-password", "SELECT 1");
    await one(userType, { ...user, plaintextPassword: "second-password" });
    await expect(query("trigger", "first-password", "SELECT 1")).rejects.toMatchObject({ errno: 1045 });
    await query("trigger", "second-password", "SELECT 1");
    expect((await asAdministrator("SHOW CREATE USER 'trigger'@'%'"))[0]["CREATE USER for trigger@%"]).toContain(
      "REQUIRE SSL",
    );
  });

  it("creates a user for localhost by default, who cannot connect over the network, as on RDS", async () => {
    expect((await one(userType, { user: "homely", plaintextPassword: "some-password" })).id).toBe("homely@localhost");
    await expect(query("homely", "some-password", "SELECT 1")).rejects.toMatchObject({ errno: 1045 });
  });

  it.each<[object, RegExp]>([
    [{ plaintextPassword: "it's" }, /plaintextPassword is not characters other than quotes and backslashes/],
    [{ plaintextPassword: "back\\slash" }, /plaintextPassword is not/],
    [{ plaintextPassword: undefined }, /plaintextPassword is missing/],
    [{ user: "o'brien" }, /user is "o'brien"/],
    [{ tlsOption: "TLS" }, /tlsOption is "TLS", and must be NONE, SSL, X509/],
    [{ tlsOption: "SSL; DROP DATABASE ecommerce_db" }, /tlsOption is/],
    [{ authPlugin: "AWSAuthenticationPlugin" }, /exists in RDS only/],
  ])("refuses a user for which the provider or MySQL would fail: %o", async (inputs, message) => {
    const error = await refusal(one(userType, { ...user, ...inputs }));
    expect(error).toMatch(message);
    expect(error).not.toMatch(/it's|back\\slash|first-password/);
  });

  const grant = { user: "trigger", host: "%", database: "ecommerce_db", table: "users" };
  const granted = async (place = "`ecommerce_db`.`users`") => {
    const rows = await asAdministrator("SHOW GRANTS FOR 'trigger'@'%'");
    return [
      ...readGrants(
        rows.map((row) => String(Object.values(row)[0])),
        place,
      ),
    ].sort();
  };

  it("grants exactly the named privileges: more, fewer, on columns, ALL, and with the grant option", async () => {
    const { id } = await one(grantType, { ...grant, privileges: ["SELECT", "insert"] });
    expect(id).toBe("trigger@%:`ecommerce_db`:`users`");
    expect(await granted()).toEqual(["INSERT", "SELECT"]);
    await one(grantType, { ...grant, privileges: ["SELECT", "UPDATE(mail, name)"], grant: true });
    expect(await granted()).toEqual(["GRANT OPTION", "SELECT", "UPDATE (`mail`)", "UPDATE (`name`)"]);
    await one(grantType, { ...grant, privileges: ["select", "UPDATE (`mail`)"] });
    expect(await granted()).toEqual(["SELECT", "UPDATE (`mail`)"]);
    await one(grantType, { ...grant, privileges: ["ALL"] });
    await one(grantType, { ...grant, privileges: ["ALL PRIVILEGES"] });
    expect(await granted()).toEqual(["ALL PRIVILEGES"]);
    await one(grantType, { ...grant, privileges: ["INSERT"] });
    expect(await granted()).toEqual(["INSERT"]);
    await one(grantType, { ...grant, privileges: ["INSERT"] });
    expect(await granted()).toEqual(["INSERT"]);
  });

  it("does not change the grants in other places", async () => {
    await one(grantType, { ...grant, privileges: ["INSERT"] });
    await one(grantType, { ...grant, table: undefined, privileges: ["CREATE", "DROP"] }, "wide");
    expect(await granted("`ecommerce_db`.*")).toEqual(["CREATE", "DROP"]);
    await one(grantType, { ...grant, table: undefined, privileges: ["CREATE"] }, "wide");
    expect(await granted("`ecommerce_db`.*")).toEqual(["CREATE"]);
    expect(await granted()).toEqual(["INSERT"]);
  });

  it.each<[object, RegExp]>([
    [{ privileges: [] }, /privileges is empty/],
    [{ privileges: ["SELECT ON x.y TO z; --"] }, /privileges holds/],
    [{ privileges: ["FILE"], database: "*", table: "*" }, /Access denied/],
    [{ privileges: ["SELECT"], table: "missing" }, /doesn't exist/],
    [{ privileges: ["SELECT"], user: "nobody" }, /not allowed to create a user|no such grant|nobody/],
    [{ privileges: ["SELECT"], tlsOption: "SSL" }, /MySQL 8 accepts others in mysql\.User only/],
    [{ roles: ["writer"] }, /roles is not supported on this machine/],
  ])("refuses a wrong grant: %o", async (inputs, message) => {
    expect(await refusal(one(grantType, { ...grant, ...inputs }, "refused"))).toMatch(message);
  });
});
