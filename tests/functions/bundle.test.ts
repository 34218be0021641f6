/** The function as it is deployed: one minified file, in a process of its own. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { deflateRawSync } from "node:zlib";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Database, freshUser, PASSWORD, recorded, SECRET_NAME, SecretsEndpoint, secretFor } from "./support";

const run = promisify(execFile);
const source = path.join(__dirname, "../../functions/registerUser");
const folder = mkdtempSync(path.join(os.tmpdir(), "ecommerce-function-"));
const secrets = new SecretsEndpoint();
let database: Database;

/** Stands in for Lambda's runtime: loads the file, makes the handler, and answers each event on a line of its own. */
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
  await build({
    entryPoints: [path.join(source, "index.ts")],
    alias: { "iconv-lite": path.join(source, "encodings.ts") },
    outfile: path.join(folder, "registerUser.js"),
    bundle: true,
    minify: true,
    platform: "node",
    target: "node22",
    format: "cjs",
    logLevel: "error",
  });
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
  const zipped = deflateRawSync(readFileSync(path.join(folder, "registerUser.js")), { level: 9 }).length;
  expect(zipped).toBeLessThan(400_000);
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
  expect(output).not.toContain(PASSWORD);
});

it("without SecretName loads, and each invocation says what is wrong", async () => {
  const { answers } = await serve([freshUser(), freshUser()], { SecretName: "" });
  const fault = { errorType: "SecretNameMissing", code: "SECRET_NAME_MISSING" };
  expect(answers).toMatchObject([fault, fault]);
});

it("hears of a fault in the driver's own words from a server with an unusual character set", async () => {
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
