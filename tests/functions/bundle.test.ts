/** The function as it is deployed: one minified file, in a process of its own. */
import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { runInThisContext } from "node:vm";
import { deflateRawSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { functionCaCerts } from "../../infra/database/rdsCaCerts";
import { bundleFunctions } from "../../infra/lambda/bundle";
import { lazyErrorTable } from "../../infra/lambda/esbuildPlugins";
import { projectRoot } from "../support/native";
import { Database, freshUser, PASSWORD_PART, recorded, SECRET_NAME, SecretsEndpoint, secretFor } from "./support";

const run = promisify(execFile);
const region = "eu-west-1";
const folder = mkdtempSync(path.join(os.tmpdir(), "ecommerce-function-"));
const secrets = new SecretsEndpoint();
let database: Database;
let bundle: string;

/** A small Lambda runtime: loads the file, makes the handler, and prints the answer to each event on its own line. */
const RUNTIME = `
  const handler = require("./registerUser.js").createHandler();
  (async () => {
    for (const event of JSON.parse(process.argv[2])) {
      const end = Date.now() + 5000;
      const answer = await handler(event, { getRemainingTimeInMillis: () => end - Date.now() }).then(
        (value) => ({ value }),
        (error) => ({ errorType: error.name, errorMessage: error.message, code: error.code }),
      );
      process.stdout.write("answer " + JSON.stringify(answer) + "\\n");
    }
    process.exit();
  })();
`;

beforeAll(async () => {
  const { registerUser } = await bundleFunctions(region, ["registerUser"]);
  bundle = path.join(projectRoot, "infra", registerUser);
  copyFileSync(bundle, path.join(folder, "registerUser.js"));
  writeFileSync(path.join(folder, "runtime.js"), RUNTIME);
  database = await Database.start();
  await secrets.start();
  secrets.secrets.set(SECRET_NAME, secretFor(database.server));
});
afterAll(async () => {
  await secrets.stop();
  await database.stop();
  rmSync(folder, { recursive: true });
});

/** Serves the events in a container of their own. */
async function serve(events: unknown[], environment: Record<string, string> = {}) {
  const env = { ...process.env, SecretName: SECRET_NAME, NODE_EXTRA_CA_CERTS: database.server.caFile, ...environment };
  const { stdout, stderr } = await run("node", ["runtime.js", JSON.stringify(events)], { cwd: folder, env });
  const answers = [...stdout.matchAll(/^answer (.*)$/gm)].map(([, answer]) => JSON.parse(answer!));
  return { answers, output: stdout + stderr };
}

it("is smaller than 400 kB, zipped", () => {
  const zipped = deflateRawSync(readFileSync(bundle), { level: 9 }).length;
  expect(zipped).toBeLessThan(400_000);
});

it("has what its function needs, and nothing that only another one does", async () => {
  const bundles = await bundleFunctions(region, ["registerUser", "enqueueUser", "rotateSecret", "applySchema"]);
  const parts = { driver: "caching_sha2_password", secrets: "SecretsManager", queue: "SQS" };
  const partsOf = (file: string) => {
    const text = readFileSync(path.join(projectRoot, "infra", file), "utf8");
    return Object.entries(parts).flatMap(([part, word]) => (text.includes(word) ? [part] : []));
  };
  expect(Object.entries(bundles).map(([folder, file]) => [folder, ...partsOf(file)])).toEqual([
    ["registerUser", "driver", "secrets"],
    ["enqueueUser", "queue"],
    ["rotateSecret", "driver", "secrets"],
    ["applySchema", "driver"],
  ]);
});

it("holds the authorities of its region's databases and of RDS Proxy, and no others", () => {
  const held = readFileSync(bundle, "utf8").match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)!;
  const plain = (pem: string) => pem.replace(/\\n|\s/g, "");
  expect(held.map(plain).sort()).toEqual(functionCaCerts(region).map(plain).sort());
});

it("knows every error of the driver's table by number and by name", async () => {
  const table = require(path.join(projectRoot, "node_modules/mysql2/lib/constants/errors.js"));
  const keys = Object.keys(table);
  expect(keys.length).toBeGreaterThan(3_000);
  const bundled = { exports: {} as typeof table };
  runInThisContext(`(module) => {${lazyErrorTable(table)}}`)(bundled);
  expect(Object.fromEntries(keys.map((key) => [key, bundled.exports[key]]))).toEqual(table);
  expect(bundled.exports[0]).toBeUndefined();
});

it("registers, refuses and passes as the sources do, with the names of its faults", async () => {
  const [user, signIn, emoji] = [freshUser(), freshUser("postAuthentication"), recorded("emoji")];
  const wrong = [recorded("missingEmail"), recorded("unknownTrigger")];
  const { answers, output } = await serve([user, user, ...wrong, signIn, emoji]);

  expect(answers).toEqual([
    { value: user },
    { value: user },
    { errorType: "EmailInvalid", errorMessage: expect.stringContaining("missing"), code: "EMAIL_INVALID" },
    { errorType: "TriggerUnknown", errorMessage: expect.any(String), code: "TRIGGER_UNKNOWN" },
    { value: signIn },
    { value: emoji },
  ]);
  expect(await database.rows(user)).toHaveLength(1);
  expect(await database.rows(signIn)).toHaveLength(1);
  expect(await database.rows(emoji)).toMatchObject([{ User_Email: emoji.request.userAttributes.email }]);
  expect(output).not.toContain(PASSWORD_PART);
});

it("without SecretName loads, and each invocation fails with that error", async () => {
  const { answers } = await serve([freshUser(), freshUser()], { SecretName: "" });
  const fault = { errorType: "SecretNameMissing", code: "SECRET_NAME_MISSING" };
  expect(answers).toMatchObject([fault, fault]);
});

it("gets the right error from a server with an unusual character set", async () => {
  await database.query("SET GLOBAL character_set_server = cp1251");
  try {
    secrets.secrets.set(SECRET_NAME, secretFor(database.server, { password: "wrong" }));
    const { answers } = await serve([freshUser()]);
    expect(answers).toMatchObject([{ code: "DATABASE_ACCESS_DENIED" }]);
  } finally {
    secrets.secrets.set(SECRET_NAME, secretFor(database.server));
    await database.query("SET GLOBAL character_set_server = utf8mb4");
  }
});
