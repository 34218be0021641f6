/** `npm start` with the stacks that a team deploys: private databases of both kinds, with every feature on. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningSystem, runToEnd, sendingBackTo, startLocalSystem } from "../support/localSystem";

const directory = mkdtempSync(join(tmpdir(), "ecommerce-stacks-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** URLs that are not on localhost, instead of those that the tests pass: so no page is served. */
const elsewhere = sendingBackTo("https://shop.example.com/");
const aurora = ["kind=aurora", "proxy=true", "instanceClass=db.t4g.micro", "storageGiB=20", "multiAz=false"].flatMap(
  (setting) => ["--set", `database.${setting}`],
);

/** Paths of all files below a folder. */
const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

describe("prod, as Aurora behind a proxy", () => {
  let system: RunningSystem;
  beforeAll(async () => {
    system = await startLocalSystem(directory, ["--stack", "prod", ...elsewhere, ...aurora]);
  });
  afterAll(() => system?.stop());

  async function query(user: string, password: string, port: number, sql: string): Promise<RowDataPacket[]> {
    const ssl = { ca: readFileSync(system.outputs.authorityFile, "utf8"), verifyIdentity: true };
    const connection = await createConnection({ host: "localhost", port, user, password, ssl });
    const [rows] = await connection.query<RowDataPacket[]>(sql).finally(() => connection.destroy());
    return rows;
  }
  const asAdministrator = (sql: string) => {
    const { user, password, port } = system.outputs.mysql;
    return query(user, password, port, sql);
  };

  it("signs a person up through the queue, and prints a line for every part", () => {
    expect(system.printed()).toMatch(/proof-\S+@example\.com signed up, confirmed, and is a row in MySQL/);
    for (const line of [
      /database cluster on localhost:\d+/,
      /proxy ecommerce-database-proxy-prod before the database, on localhost:\d+/,
      /function schema-apply-\w+ invoked for ecommerceSchema\.sql/,
      /queue registration-buffer-queue-\w+/,
      /the queue's messages go to register-user-\w+/,
      /rotation of ecommerce_secret-prod/,
    ]) {
      expect(system.printed()).toMatch(line);
    }
    const [, recorded = ""] = system.printed().split("Recorded, not simulated:");
    expect(recorded).toContain("ec2 Subnet");
    expect(recorded).not.toMatch(/rds (Cluster|ClusterInstance|ClusterParameterGroup|Proxy\w*)\b|lambda|sqs|mysql/);
  });

  it("serves no page if no callback URL is on localhost, and prints that", () => {
    expect(system.outputs.webUrl).toBeUndefined();
    expect(system.printed()).toContain("not served: this stack's callbackUrls name no URL on localhost");
  });

  it("got its schema from the function in the VPC; the administrator of this machine can connect", async () => {
    expect(system.outputs.mysql.database).toBe("ecommerce_db");
    const tables = await asAdministrator("SHOW TABLES IN ecommerce_db");
    expect(tables.length).toBeGreaterThanOrEqual(6);
    const rows = await asAdministrator("SELECT User_Email FROM ecommerce_db.users");
    expect(rows.map(({ User_Email }) => User_Email)).toEqual([expect.stringMatching(/^proof-/)]);
    const grants = await asAdministrator("SHOW GRANTS FOR ecommerce_register@'%'");
    expect(JSON.stringify(grants)).toContain("GRANT SELECT, INSERT ON `ecommerce_db`.`users`");
  });

  /** The parsed value of the secret's version that has the label. */
  async function secretWith(VersionStage: string): Promise<Record<string, any>> {
    const { region, secretsManagerEndpoint: endpoint, secretName: SecretId, ...keys } = system.outputs;
    const client = new SecretsManagerClient({ region, endpoint, credentials: keys });
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId, VersionStage }));
    client.destroy();
    return JSON.parse(SecretString!);
  }

  it("rotated the password at once; the proxy accepts the secret's user and no other", async () => {
    const { username, password, host, port } = await secretWith("AWSCURRENT");
    const ports = JSON.parse(readFileSync(join(directory, "ports.json"), "utf8"));
    expect({ host, port }).toEqual({ host: "localhost", port: ports["proxy ecommerce-database-proxy-prod"] });
    const [row] = await query(username, password, port, "SELECT CURRENT_USER() AS me");
    expect(row!.me).toBe("ecommerce_register@%");
    const drawn = JSON.parse(readFileSync(join(directory, "random.json"), "utf8")) as Record<string, string>;
    expect(Object.values(drawn)).not.toContain(password);
    const administrator = query("ecommerce_admin", drawn["database-admin"]!, port, "SELECT 1");
    await expect(administrator).rejects.toThrow("no secret of the proxy ecommerce-database-proxy-prod");
  });

  it("writes no password to the terminal, or into the functions' logs and archives", async () => {
    const drawn = JSON.parse(readFileSync(join(directory, "random.json"), "utf8")) as Record<string, string>;
    const rotated = [await secretWith("AWSCURRENT"), await secretWith("AWSPREVIOUS")].map(({ password }) => password);
    const secrets = new Set([...Object.values(drawn), system.outputs.mysql.password, ...rotated]);
    // The passwords of the program's administrator, of the function's user before and after the rotation, and of this
    // machine's own administrator.
    expect(secrets.size).toBeGreaterThanOrEqual(4);
    const files = ["logs", "functions"].flatMap((name) => filesIn(join(directory, name)));
    const texts = new Map(files.map((file) => [file, readFileSync(file, "utf8")]));
    expect([...texts.values()].join("")).toContain("requestId");
    for (const bundle of ["registerUser", "applySchema", "enqueueUser", "rotateSecret"]) {
      expect(files.filter((file) => file.endsWith(`${bundle}.js`))).not.toEqual([]);
    }
    for (const secret of secrets) {
      expect(system.printed()).not.toContain(secret);
      expect(files.filter((file) => texts.get(file)!.includes(secret))).toEqual([]);
    }
  });
});

describe("the same folder", () => {
  it("also starts with one private instance: the rows stay, and one more person signs up", async () => {
    const { code, output } = await runToEnd(directory, ["--once", "--stack", "prod", ...elsewhere]);
    expect(output).toMatch(/database server on localhost:\d+/);
    expect(output).toMatch(/function schema-apply-\w+ invoked for ecommerceSchema\.sql/);
    expect(output).toMatch(/users: User_UUID=[0-9a-f-]{36} {2}User_Email=proof-/);
    expect(code).toBe(0);
  });

  it("is refused for another stack, whose secrets have other passwords", async () => {
    const { code, output } = await runToEnd(directory, ["--once", "--stack", "staging", ...elsewhere]);
    expect(output).toContain(`The data folder ${directory} holds stack prod, and stack staging is another system`);
    expect(code).toBe(1);
  });
});
