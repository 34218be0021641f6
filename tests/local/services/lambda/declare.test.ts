import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type LambdaService, startLambda } from "./support";

let lambdaService: LambdaService;
beforeAll(async () => {
  lambdaService = await startLambda();
});
afterAll(() => lambdaService.end());

const source = "exports.handler = async () => 1;";
const archive = (assets: Record<string, unknown>) => ({ code: { assets: Promise.resolve(assets) } });
const text = (content: string) => ({ text: Promise.resolve(content) });

test("a function's outputs are those of AWS", async () => {
  const { id, outputs } = await lambdaService.make("described", source, { loggingConfig: { logFormat: "JSON" } });
  const arn = "arn:aws:lambda:eu-west-1:111122223333:function:described";
  expect([id, outputs]).toEqual([
    "described",
    {
      arn,
      name: "described",
      invokeArn: `arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/${arn}/invocations`,
      qualifiedArn: `${arn}:$LATEST`,
      version: "$LATEST",
      loggingConfig: { logFormat: "JSON", logGroup: "/aws/lambda/described" },
      codeSha256: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/),
      sourceCodeSize: expect.any(Number),
    },
  ]);
  expect((await lambdaService.make("logical", source, { name: undefined })).id).toMatch(/^logical-[0-9a-f]{7}$/);
});

describe("what Lambda refuses is refused", () => {
  const trust = (service: string) => ({
    Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: service } }],
  });
  test.each<[string, object, RegExp]>([
    ["timeout", { timeout: 901 }, /timeout is 901; allowed: a whole number from 1 to 900/],
    ["timeout 0", { timeout: 0 }, /timeout is 0/],
    ["memory", { memorySize: 64 }, /memorySize is 64/],
    ["handler", { handler: undefined }, /handler is undefined; allowed: file\.export/],
    ["handler without export", { handler: "index" }, /handler is "index"/],
    ["runtime", { runtime: "nodejs18.x" }, /runtime is "nodejs18\.x"; allowed on this machine: nodejs20\.x/],
    ["another language", { runtime: "python3.13" }, /python3\.13/],
    ["no such role", { role: "arn:aws:iam::111122223333:role/none" }, /cannot be assumed by Lambda/],
    ["name", { name: "a b" }, /its name may have 1 to 64/],
    ["reserved variable", { environment: { variables: { AWS_REGION: "x" } } }, /AWS_REGION is reserved/],
    ["variable name", { environment: { variables: { "a-b": "x" } } }, /"a-b"/],
    ["variable type", { environment: { variables: { ab: 1 } } }, /ab must be a string/],
    ["too many variables", { environment: { variables: { ab: "x".repeat(4_100) } } }, /at most 4096/],
    ["layers", { layers: ["arn"] }, /layers is not simulated/],
    ["vpc", { vpcConfig: { subnetIds: ["subnet-1"] } }, /permissions to call CreateNetworkInterface on EC2/],
  ])("%s", async (_, inputs, message) => {
    await expect(lambdaService.make("refused", source, inputs as any)).rejects.toThrow(message);
  });

  test("a role that another service may assume", async () => {
    const type = "aws:iam/role:Role";
    const inputs = { assumeRolePolicy: trust("apigateway.amazonaws.com") };
    const result = await lambdaService.iam.handlers[type]!({ type, name: "gateway", inputs });
    await expect(lambdaService.make("refused", source, { role: result.outputs.arn })).rejects.toThrow(
      /cannot be assumed/,
    );
  });
});

describe("the archive", () => {
  const folder = (name: string) => join(lambdaService.context.directory, "functions", name);

  test("is unpacked as the zip would be: texts, files and whole folders", async () => {
    const from = join(lambdaService.context.directory, "from");
    mkdirSync(join(from, "deep", "er"), { recursive: true });
    writeFileSync(join(from, "deep", "er", "bytes"), Buffer.from([0, 255]));
    writeFileSync(join(from, "one.js"), "1");
    const assets = {
      "index.js": text(source),
      "one.js": { path: Promise.resolve(join(from, "one.js")) },
      "node_modules/pkg": { path: Promise.resolve(from) },
      nested: { assets: { "a/b.txt": text("ü") } },
    };
    const { outputs } = await lambdaService.make("packed", "", archive(assets));
    const files = readdirSync(folder("packed"), { recursive: true, withFileTypes: true }).filter((e) => e.isFile());
    expect(files.map((e) => join(e.parentPath, e.name).slice(folder("packed").length + 1)).sort()).toEqual(
      ["index.js", "nested/a/b.txt", "node_modules/pkg/deep/er/bytes", "node_modules/pkg/one.js", "one.js"].sort(),
    );
    expect([...readFileSync(join(folder("packed"), "node_modules/pkg/deep/er/bytes"))]).toEqual([0, 255]);
    expect(outputs.sourceCodeSize).toBeGreaterThan(400);
    expect((await lambdaService.invoke("packed")).answer).toBe(1);
  });

  test("may be objects of the Pulumi SDK", async () => {
    const { AssetArchive, FileArchive, FileAsset, StringAsset } = pulumi.asset;
    const from = join(lambdaService.context.directory, "pulumi");
    mkdirSync(from);
    writeFileSync(join(from, "a.js"), "exports.a = 1;");
    const code = new AssetArchive({
      "index.js": new StringAsset("exports.handler = async () => [require('./lib/a').a, require('./b').a];"),
      lib: new FileArchive(from),
      "b.js": new FileAsset(join(from, "a.js")),
    });
    await lambdaService.make("pulumi", "", { code });
    expect((await lambdaService.invoke("pulumi")).answer).toEqual([1, 1]);
  });

  test.each([
    ["index.mjs", {}],
    ["index.js", { "package.json": text('{"type":"module"}') }],
    ["index.cjs", { "package.json": text('{"type":"module"}') }],
  ])("may hold an ES module or not: %s", async (file, more) => {
    const content = file.endsWith(".cjs") ? source : "export const handler = async () => 1;";
    await lambdaService.make("kinds", "", archive({ [file]: text(content), ...more }));
    expect((await lambdaService.invoke("kinds")).answer).toBe(1);
  });

  test("is not replaced while unchanged, and replaced completely when it changes", async () => {
    await lambdaService.make("changing", "", archive({ "index.js": text(source), "old.js": text("") }));
    const before = statSync(folder("changing")).ino;
    await lambdaService.make("changing", "", archive({ "old.js": text(""), "index.js": text(source) }));
    expect(statSync(folder("changing")).ino).toBe(before);
    await lambdaService.make("changing", "", archive({ "index.js": text("exports.handler = async () => 2;") }));
    expect(readdirSync(folder("changing"))).toEqual(["index.js"]);
    expect((await lambdaService.invoke("changing")).answer).toBe(2);
  });

  test.each(["../evil.js", "a/../../evil.js", "/evil.js", "a//b", "a\\..\\b", ".."])(
    "with the path %s is refused",
    async (path) => {
      await expect(lambdaService.make("evil", "", archive({ [path]: text("") }))).rejects.toThrow(
        /would leave its folder/,
      );
    },
  );

  test("is refused with a reason if it is empty, remote, missing or a zip file", async () => {
    await expect(lambdaService.make("bad", "", archive({}))).rejects.toThrow(/empty/);
    await expect(lambdaService.make("bad", "", { code: { uri: "https://x" } })).rejects.toThrow(
      /remote \(https:\/\/x\)/,
    );
    await expect(lambdaService.make("bad", "", { code: undefined })).rejects.toThrow(/missing/);
    const zip = join(lambdaService.context.directory, "code.zip");
    writeFileSync(zip, "PK");
    await expect(lambdaService.make("bad", "", { code: { path: zip } })).rejects.toThrow(/archive file .*code\.zip/);
  });
});
