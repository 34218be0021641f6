/** The output of a start: lines no wider than the terminal, empty lines between the parts, and commands to copy. */
import { describe, expect, it } from "vitest";
import type { Outputs } from "../../../cli/localOutputs";
import { ConsoleReporter, wrapped } from "../../../local/start/consoleReporter";
import type { System } from "../../../local/start/system";

const outputs = {
  signInUrl: "http://127.0.0.1:1/login",
  mysql: { user: "administrator", host: "127.0.0.1", port: 2, password: "unseen", database: "ecommerce_db" },
} as Outputs;
const notSimulated = new Map(
  ["ec2/vpc:Vpc", "ec2/subnet:Subnet", "cloudwatch/metricAlarm:MetricAlarm", "sns/topicPolicy:TopicPolicy"].map(
    (type) => [`aws:${type}`, 12],
  ),
);
const system = { outputs, notSimulated } as unknown as System;
const row = { User_UUID: "7c9e6679-7425-40de-944b-e07fc1f90ae7", User_Email: "a@example.com", User_FirstName: null };
const proof = { email: "a@example.com", sub: row.User_UUID, row };

/** The printed lines. */
function printed(columns: number | undefined, show: (reporter: ConsoleReporter) => void): string[] {
  const lines: string[] = [];
  show(new ConsoleReporter({ print: (line) => lines.push(line), columns }));
  return lines.join("\n").split("\n");
}

describe("rows", () => {
  it.each([72, 80, 120])("are no wider than a terminal of %i columns", (columns) => {
    const rows = printed(columns, (reporter) => {
      reporter.title("dev");
      reporter.step("database ecommerce_db", 5);
      reporter.proven(proof, 1_000);
      reporter.proofDone(system);
    });
    for (const line of rows) expect(line.length, line).toBeLessThanOrEqual(columns);
    const text = rows.join(" ");
    for (const cell of ["User_UUID=7c9e", "User_FirstName=NULL", "sns TopicPolicy (12)"]) expect(text).toContain(cell);
  });

  it("are not wrapped where the output is a pipe", () => {
    const rows = printed(undefined, (reporter) => reporter.proven(proof, 1_000));
    expect(rows.at(-1)).toMatch(/^ {4}users: User_UUID=\S+ {2}User_Email=a@example\.com {2}User_FirstName=NULL$/);
  });

  it("break between items only, after the separator", () => {
    expect(wrapped(["aaaa", "bbbb", "cccc"], ", ", 14, 4)).toBe("aaaa,\n    bbbb,\n    cccc");
    expect(wrapped(["aaaa", "bbbb", "cccc"], ", ", 20, 4)).toBe("aaaa, bbbb,\n    cccc");
    expect(wrapped(["a".repeat(30)], ", ", 10, 0)).toBe("a".repeat(30));
  });
});

describe("empty rows", () => {
  it("there is one between the title and the first step, and one before an error", () => {
    const shown = (...steps: ((reporter: ConsoleReporter) => void)[]) =>
      printed(80, (reporter) => {
        reporter.title("dev");
        for (const step of steps) step(reporter);
      }).map((line) => line === "");
    const step = (reporter: ConsoleReporter) => reporter.step("secret", 1);
    const error = (reporter: ConsoleReporter) => reporter.setApart();
    expect(shown(step)).toEqual([false, true, false]);
    expect(shown(error)).toEqual([false, true]);
    expect(shown(step, error)).toEqual([false, true, false, true]);
  });
});

describe("the list of addresses", () => {
  const ready = () => printed(undefined, (reporter) => reporter.ready(system, "staging", "data")).join("\n");

  it("has the command that serves the page, for a stack whose callback URLs have none on localhost", () => {
    const [, command] = /npm start -- (--stack staging --set \S+ --set \S+)$/m.exec(ready())!;
    expect(command).toBe(
      "--stack staging --set callbackUrls=http://localhost:3000/ --set signOutUrls=http://localhost:3000/",
    );
  });

  it("has the path of the functions' logs, and no password", () => {
    expect(ready()).toMatch(/^ {2}logs +data\/logs\/FUNCTION\.log$/m);
    expect(ready()).not.toContain("unseen");
  });
});
