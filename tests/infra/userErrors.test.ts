/**
 * What the program reports to Pulumi's engine when it fails: only the message of an error that the user can correct,
 * and a stack trace of any other error. A report once took 20 s and 3.3 GB, so each case also checks time and memory.
 */
import { appendFileSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { type HostedOptions, previewHosted } from "../support/languageHost";
import { devConfig } from "../support/program";

/** MB. Loading the program takes about 250. */
const mostMemory = 500;
/**
 * Seconds of CPU time, which other work on the machine does not increase. Loading takes about two, the loop took 15.
 */
const mostTime = 10;

/** Number, from 1, of the line of the file with exactly this text. */
const lineOf = (file: string, text: string) => readFileSync(file, "utf8").split("\n").indexOf(text) + 1;

async function errorsOf(options: Partial<HostedOptions>): Promise<readonly string[]> {
  const { exitCode, errors, peakMemory, processorTime } = await previewHosted({ config: devConfig, ...options });
  expect(exitCode).toBe(32);
  expect(peakMemory).toBeGreaterThan(50);
  expect(peakMemory).toBeLessThan(mostMemory);
  expect(processorTime).toBeLessThan(mostTime);
  return errors;
}

/** Appends a line to a file of the program. */
const append = (file: string, line: string) => (program: string) =>
  appendFileSync(path.join(program, file), `\n${line}\n`);

describe("a run by Pulumi's own entry", { timeout: 60_000 }, () => {
  it("reports nothing if the program is correct", async () => {
    expect(await previewHosted({ config: devConfig })).toMatchObject({ exitCode: 0, errors: [] });
  });

  it("reports a CLI that is too old", async () => {
    expect(await errorsOf({ oldEngine: true })).toEqual([
      expect.stringMatching(/^This program needs the Pulumi CLI >=3\.226\.0: .*3\.100\.0 does not satisfy/),
    ]);
  });

  it("reports only the message for a refused configuration", async () => {
    expect(await errorsOf({ config: { ...devConfig, "ecommerce:registration.memoryMiB": "1" } })).toEqual([
      'The configuration of stack "dev" has an error:\n' +
        "  ecommerce:registration.memoryMiB: got 1; allowed is a whole number from 128 to 3008\n" +
        "Set a key with `pulumi config set --path KEY VALUE`, or edit Pulumi.dev.yaml; docs/configuration.md describes each key.",
    ]);
  });

  it.each<{ what: string; options: Partial<HostedOptions>; message: RegExp }>([
    {
      what: "a schema file that removes something",
      options: { change: append("schema/ecommerceSchema.sql", "DROP TABLE users;") },
      message: /^The schema file was refused before anything was sent: line \d+ begins with "DROP TABLE"\. .*$/,
    },
    {
      what: "a certificate file that cannot be read",
      options: { env: { NODE_EXTRA_CA_CERTS: "/nowhere.pem" } },
      message: /^Cannot read the certificate authorities in \/nowhere\.pem: ENOENT.*$/,
    },
    {
      what: "a function that does not compile",
      options: { change: append("functions/registerUser/index.ts", "const x = ;") },
      message: /^Build failed with 1 error:\nfunctions\/registerUser\/index\.ts:\d+:10: ERROR: Unexpected ";"$/,
    },
  ])("reports only the message for $what", async ({ options, message }) => {
    expect(await errorsOf(options)).toEqual([expect.stringMatching(message)]);
  });

  it.each([
    { when: "while the program is loaded", line: 'throw new TypeError("a defect");' },
    {
      when: "in a component",
      line: 'Network.prototype.registerOutputs = () => { throw new TypeError("a defect"); };',
    },
  ])("reports a defect $when with its stack trace, with the lines of the sources", async ({ line }) => {
    let thrown = 0;
    const errors = await errorsOf({
      change: (program) => {
        const file = path.join(program, "infra/network/Network.ts");
        append("infra/network/Network.ts", line)(program);
        thrown = lineOf(file, line);
      },
    });
    expect(errors).not.toEqual([]);
    for (const error of errors) {
      expect(error).toMatch(/^Running program .* failed with an unhandled exception:\nTypeError: a defect\n {4}at /);
      expect(error).toContain(`PROGRAM/infra/network/Network.ts:${thrown}:`);
      // A frame in lines 1 to 3 was not mapped to its source. Exception: the import of Network.ts in line 2 of
      // network/index.ts.
      expect(error).not.toMatch(/infra\/(?!network\/index\.ts:2:)[\w/]+\.ts:[1-3]:/);
    }
  });
});
