/** `npm run drift` as a person runs it: on a local system, and on stacks whose state a stand-in `pulumi` prints. */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { outputsName } from "../../cli/localOutputs";
import { bundleFunctions } from "../../infra/lambda/bundle";
import { DataFolder } from "../../local/lib/dataFolder";
import { applySchema } from "../../schema/apply";
import { readMigrations, readSchemaFile } from "../../schema/files";
import type { Migration } from "../../schema/plan";
import { Database } from "../functions/support";
import { type LambdaService, startLambda } from "../local/services/lambda/support";
import { connectToTestServer, schemaFor, testServer } from "../schema/support";
import { projectRoot } from "../support/native";
import { standInPulumi, stateArguments } from "../support/pulumi";

const database = `drift_command_${process.pid}`;
const migrations: Migration[] = [{ name: "0001_status", sql: "ALTER TABLE orders ADD Order_Status varchar(20);" }];
const secretMark = "4dabf18193072939515e22adb298388d";
const root = mkdtempSync(join(tmpdir(), "drift-"));
/** The command's temporary folder; after each run it must be empty. */
const temporary = join(root, "tmp");
let connection: Connection;

// Each comparison starts a MySQL of its own.
vi.setConfig({ testTimeout: 120_000 });

beforeAll(async () => {
  mkdirSync(temporary);
  connection = await connectToTestServer();
});
beforeEach(async () => {
  await connection.query(`DROP DATABASE IF EXISTS \`${database}\``);
  await applySchema(testServer(), { database, sql: schemaFor(database), migrations });
});
afterAll(async () => {
  await connection?.query(`DROP DATABASE IF EXISTS \`${database}\``);
  await connection?.end();
  rmSync(root, { recursive: true });
});

/** Runs the command to its end, and asserts that it leaves no files and prints no password. */
async function run(args: string[], environment: Record<string, string> = {}) {
  const command = join(projectRoot, "operations/drift.cjs");
  const env = { ...process.env, TMPDIR: temporary, ...environment };
  const ended = await new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, [command, ...args], { env, cwd: projectRoot }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
  expect(readdirSync(temporary).filter((name) => name.startsWith("ecommerce-drift"))).toEqual([]);
  expect(ended.stdout + ended.stderr).not.toContain(testServer().password);
  return ended;
}

/** A PATH with a script `pulumi` that prints a state with these resources, as the CLI does with `--show-secrets`. */
function stack(resources: object[] | string): Record<string, string> {
  const directory = mkdtempSync(join(root, "bin-"));
  const stdout = typeof resources === "string" ? resources : JSON.stringify({ version: 3, deployment: { resources } });
  standInPulumi(directory, { to: stateArguments("prod"), stdout });
  return { PATH: `${directory}${delimiter}${process.env.PATH}` };
}

const secret = (value: unknown) => ({
  [secretMark]: "1b47061264138c4ac30d75fd1eb44270",
  plaintext: JSON.stringify(value),
});
const urn = (type: string, name: string) =>
  `urn:pulumi:prod::ecommerce::ecommerce:database:DatabaseSchema$${type}::${name}`;

function publicStack() {
  const { host, port, user: username, password, authorities } = testServer();
  const type = "pulumi-nodejs:dynamic:Resource";
  const inputs = { host, port, username, password: secret(password), authorities, databaseName: database };
  const files = { sql: schemaFor(database), migrations };
  return stack([
    { urn: "urn:pulumi:prod::ecommerce::pulumi:pulumi:Stack::s", type: "pulumi:pulumi:Stack" },
    { urn: urn(type, "schema-tables"), type, inputs: { ...inputs, ...files } },
  ]);
}

describe("a public stack", () => {
  it("has no drift right after it was deployed", async () => {
    const { code, stdout } = await run(["--stack", "prod"], publicStack());
    expect([code, stdout]).toEqual([0, "The tables are what the schema file and 1 migration make.\n"]);
  });

  it("lists each column and table that was changed by hand", async () => {
    await connection.query(`ALTER TABLE \`${database}\`.orders MODIFY Order_Status varchar(21), ADD by_hand int`);
    await connection.query(`DROP TABLE \`${database}\`.category`);
    const { code, stdout } = await run(["--stack", "prod"], publicStack());
    expect([code, stdout.split("\n")]).toEqual([
      2,
      [
        "table category: missing",
        "orders, `Order_Status`: is varchar(21) DEFAULT NULL; the files make varchar(20) DEFAULT NULL",
        "orders, `by_hand`: not from the files; it is int DEFAULT NULL",
        "3 differences from what the schema file and 1 migration make.",
        "",
      ],
    ]);
  });
});

describe("a private stack", () => {
  let lambdaService: LambdaService;
  beforeAll(async () => {
    lambdaService = await startLambda();
    const { applySchema } = await bundleFunctions("us-east-1", ["applySchema"]);
    const code = readFileSync(join(projectRoot, "infra", applySchema), "utf8");
    // The packaged function, with the entry that CallbackFunction would give it.
    await lambdaService.make("schema-apply", `${code}\nmodule.exports.handler = module.exports.createHandler();`, {
      timeout: 900,
    });
  });
  afterAll(() => lambdaService?.end());

  const privateStack = () => {
    const type = "aws:lambda/invocation:Invocation";
    const { host, port, user, password, authorities } = testServer();
    const event = {
      server: { host, port, user, password, authorities },
      database,
      sql: schemaFor(database),
      migrations,
    };
    const inputs = { functionName: "schema-apply", input: secret(JSON.stringify(event)), region: "eu-west-1" };
    const { accessKeyId, secretAccessKey } = lambdaService.iam.administrator;
    return {
      ...stack([{ urn: urn(type, "schema-applied"), type, inputs }]),
      AWS_ENDPOINT_URL_LAMBDA: lambdaService.lambda.endpoint,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    };
  };

  it("is read by the function inside the VPC, and reported line by line as JSON", async () => {
    await connection.query(`ALTER TABLE \`${database}\`.users ADD by_hand int`);
    const { code, stdout, stderr } = await run(["--stack", "prod", "--json"], privateStack());
    const lines = stdout.trim().split("\n");
    expect([code, lines.map((line) => JSON.parse(line))]).toEqual([
      2,
      [
        { type: "difference", table: "users", part: "`by_hand`", actual: "int DEFAULT NULL" },
        { type: "summary", differences: 1, migrations: 1 },
      ],
    ]);
    expect(stderr).toContain("from inside its VPC");
  });

  it("reports the function's error where it cannot read the tables", async () => {
    await connection.query(`DROP DATABASE \`${database}\``);
    const { code, stderr } = await run(["--stack", "prod"], privateStack());
    expect([code, stderr]).toEqual([1, expect.stringContaining(`There is no database "${database}"`)]);
    expect(stderr).not.toContain("    at ");
  });
});

describe("the local system", () => {
  it("is compared with the files of this folder", async () => {
    const system = await Database.start();
    const folder = await DataFolder.open(join(root, "local"));
    try {
      const { host, port, user, password, caFile } = system.server;
      const mysql = { host, port, user, password, database: "ecommerce_db" };
      folder.write(outputsName, { mysql, authorityFile: caFile });
      const server = { host, port, user, password, authorities: readFileSync(caFile, "utf8") };
      const plan = { database: "ecommerce_db", sql: readSchemaFile(), migrations: readMigrations() };
      await applySchema(server, plan);
      const { code, stdout, stderr } = await run(["--dir", folder.path]);
      expect([code, stdout]).toEqual([0, "The tables are what the schema file makes.\n"]);
      expect(stderr).toContain(folder.path);
    } finally {
      await folder.close();
      await system.stop();
    }
  });
});

describe("an error is printed as a sentence", () => {
  it.each([
    ["no local system", ["--dir", join(root, "none")], () => ({}), "No local system runs on"],
    ["both", ["--stack", "prod", "--local"], () => ({}), "give one or the other"],
    ["an unknown option", ["--fix"], () => ({}), "npm run drift --"],
    ["a stack without a schema", ["--stack", "prod"], () => stack([]), "Stack prod has no schema yet"],
    ["a `pulumi` that is another program", ["--stack", "prod"], () => stack("hello secret"), "are not JSON"],
    [
      "an unknown stack",
      ["--stack", "other"],
      () => stack([]),
      "did not print the state of the stack other: got stack export",
    ],
    ["no pulumi", ["--stack", "prod"], () => ({ PATH: root }), "pulumi.com/docs/install"],
  ])("%s", async (_what, args, environment, message) => {
    const { code, stdout, stderr } = await run(args, environment());
    expect([code, stdout, stderr]).toEqual([1, "", expect.stringContaining(message)]);
    expect(stderr).not.toMatch(/ {4}at |hello/);
  });
});
