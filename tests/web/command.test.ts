/** `npm run web` as a person runs it; the Pulumi CLI is a script that prints recorded output of the real one. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../cli/ports";
import { type Answer, outputsArguments, standInPulumi } from "../support/pulumi";

let folder: string;
let port: number;
const outputs = () => ({
  region: "eu-west-1",
  userPoolClientId: "client",
  signInUrl: "https://shop.auth.eu-west-1.amazoncognito.com/login",
  apiUrl: "https://abc.execute-api.eu-west-1.amazonaws.com/v1",
  bucketName: "pictures",
  bucketUrl: "https://pictures.s3.eu-west-1.amazonaws.com",
  uploads: { ownPrefix: false, overwrite: true, writers: "everyone" as const },
  mysql: { host: "database.test", port: 3306, database: "ecommerce_db" },
  webUrl: `http://localhost:${port}/`,
});

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "pulumi-"));
  port = await freePort();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Adds a script `pulumi` to the PATH that prints a stack's outputs. */
const pulumi = (answer: Omit<Answer, "to">, stack = "dev") =>
  standInPulumi(folder, { to: outputsArguments(stack), ...answer });
const answering = (value: object, stack?: string) => pulumi({ stdout: JSON.stringify(value) }, stack);

function launch(args: string[], path = folder) {
  const child = spawn(process.execPath, ["operations/web.cjs", ...args], {
    cwd: join(__dirname, "../.."),
    env: { ...process.env, PATH: path },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  const started = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (part: string) => {
        printed += part;
        if (printed.includes("Ctrl-C stops it.")) resolve();
      });
    }
  });
  const ended = once(child, "close").then(([code]) => ({ code, printed }));
  return { child, started, ended };
}

const run = (args: string[], path?: string) => launch(args, path).ended;

describe("npm run web", () => {
  it("serves the page against the stack's outputs until Ctrl-C", async () => {
    answering(outputs(), "staging");
    const { child, started, ended } = launch(["--stack", "staging"]);
    await Promise.race([started, ended]);
    const config = await (await fetch(`http://localhost:${port}/config.json`)).json();
    const { mysql, ...known } = outputs();
    expect(config).toEqual(known);
    expect((await fetch(`http://localhost:${port}/me`)).status).toBe(404);
    child.kill("SIGINT");
    expect(await ended).toEqual({
      code: 0,
      printed: `The page for the stack staging is at http://localhost:${port}/\nCtrl-C stops it.\n`,
    });
  });

  it("says that there is no Pulumi CLI", async () => {
    expect(await run([], "/nowhere")).toEqual({
      code: 1,
      printed: expect.stringMatching(/^The Pulumi CLI is not on the PATH; .* Install it from https:\S+\.\n$/),
    });
  });

  it("says that there is no such stack", async () => {
    pulumi({ stderr: "error: no stack named 'gone' found\n", code: 255 }, "gone");
    expect(await run(["--stack", "gone"])).toEqual({
      code: 1,
      printed: expect.stringMatching(/^There is no stack gone: .*`pulumi stack ls`/),
    });
  });

  it("prints any other error of the CLI", async () => {
    pulumi({ stderr: "error: PULUMI_ACCESS_TOKEN must be set for login\n", code: 1 });
    expect(await run([])).toEqual({
      code: 1,
      printed: expect.stringMatching(/outputs of the stack dev: PULUMI_ACCESS_TOKEN must be set/),
    });
  });

  it("names every output that is missing", async () => {
    const { apiUrl, uploads, webUrl, ...rest } = outputs();
    answering({ ...rest, bucketName: "" });
    expect(await run([])).toEqual({
      code: 1,
      printed: expect.stringMatching(/^The stack dev has no output apiUrl, bucketName, webUrl, uploads.*callbackUrls/),
    });
  });

  it.each([
    ["an output that is not a URL", { apiUrl: "[secret]" }, /apiUrl "\[secret\]": the page needs http or https URLs/],
    ["a page that needs a certificate", { webUrl: "https://localhost:3000/" }, /serves http:\/\/localhost only/],
  ])("refuses %s", async (_, change, words) => {
    answering({ ...outputs(), ...change });
    expect(await run([])).toEqual({ code: 1, printed: expect.stringMatching(words) });
  });

  it("says that the port is taken, and how to use another one", async () => {
    const taken = `Port ${port} .* is taken.* Or put a URL with another port into ecommerce:callbackUrls.*signOutUrls`;
    answering(outputs());
    const other = createServer().listen(port, "127.0.0.1");
    await once(other, "listening");
    try {
      expect(await run([])).toEqual({ code: 1, printed: expect.stringMatching(taken) });
    } finally {
      other.close();
    }
  });

  it("shows its usage", async () => {
    expect(await run(["--help"])).toEqual({
      code: 0,
      printed: expect.stringMatching(/^npm run web -- \[--stack NAME\]/),
    });
    expect(await run(["--stak"])).toEqual({ code: 1, printed: expect.stringMatching(/--stak.*npm run web/s) });
  });
});
