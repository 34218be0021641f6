import { describe, expect, test } from "vitest";
import { evaluate } from "../../../../local/services/iam/evaluate";
import { matchesArn, matchesGlob } from "../../../../local/services/iam/glob";
import { parsePolicy } from "../../../../local/services/iam/policy";

const version = "2012-10-17";
const object = "arn:aws:s3:::images/a.png";
const put = { action: "s3:PutObject", resource: object };
const allow = (more: object) => ({ Version: version, Statement: { Effect: "Allow", ...more } });
const deny = (more: object) => ({ Version: version, Statement: [{ Effect: "Deny", ...more }] });

describe("wildcards", () => {
  test.each([
    ["*", "", true],
    ["a*c", "abbc", true],
    ["a*c", "abbd", false],
    ["a?c", "abc", true],
    ["a?c", "ac", false],
    ["*.png", "x.png.png", true],
    ["a.c", "abc", false],
    ["", "", true],
    ["", "a", false],
  ])("%s on %s: %s", (pattern, text, expected) => {
    expect(matchesGlob(pattern, text)).toBe(expected);
  });

  test("a hostile text does not take exponential time", () => {
    // Ten stars can be spread over 42 letters in 1,500,000,000 ways, and trying each takes the processor seconds.
    const started = process.cpuUsage();
    expect(matchesGlob("*a".repeat(10) + "b", "a".repeat(42))).toBe(false);
    expect(process.cpuUsage(started).user).toBeLessThan(1_000_000);
    expect(matchesGlob("*a".repeat(50) + "b", "a".repeat(5_000))).toBe(false);
  });

  test("a wildcard of an ARN stays within its part, except in the last one", () => {
    expect(matchesArn("arn:aws:s3:::images/*", "arn:aws:s3:::images/a/b:c")).toBe(true);
    expect(matchesArn("arn:aws:*:secret", "arn:aws:secretsmanager:eu-west-1:1:secret")).toBe(false);
    expect(matchesArn("arn:aws:lambda:*:*:function:f", "arn:aws:lambda:eu-west-1:1:function:f")).toBe(true);
    expect(matchesArn("arn:aws:s3:::images/*", "images/a")).toBe(false);
  });
});

describe("evaluate", () => {
  test.each<[string, object[], object, string]>([
    ["nothing allows", [], {}, "implicitDeny"],
    ["allowed by action and resource", [allow({ Action: "s3:PutObject", Resource: object })], {}, "allow"],
    ["an action's case does not matter", [allow({ Action: "S3:putobject", Resource: "*" })], {}, "allow"],
    ["a resource's case matters", [allow({ Action: "s3:*", Resource: "arn:aws:s3:::Images/*" })], {}, "implicitDeny"],
    ["another bucket", [allow({ Action: "s3:*", Resource: "arn:aws:s3:::other/*" })], {}, "implicitDeny"],
    ["the bucket is not its objects", [allow({ Action: "s3:*", Resource: "arn:aws:s3:::images" })], {}, "implicitDeny"],
    ["NotAction leaves out", [allow({ NotAction: "s3:Put*", Resource: "*" })], {}, "implicitDeny"],
    ["NotAction allows the rest", [allow({ NotAction: "s3:Get*", Resource: "*" })], {}, "allow"],
    ["NotResource leaves out", [allow({ Action: "*", NotResource: "arn:aws:s3:::images/*" })], {}, "implicitDeny"],
    ["NotResource allows the rest", [allow({ Action: "*", NotResource: "arn:aws:s3:::x/*" })], {}, "allow"],
    [
      "Deny wins",
      [allow({ Action: "*", Resource: "*" }), deny({ Action: "s3:Put*", Resource: "*" })],
      {},
      "explicitDeny",
    ],
    [
      "a Deny on something else does not",
      [allow({ Action: "*", Resource: "*" }), deny({ Action: "s3:Get*", Resource: "*" })],
      {},
      "allow",
    ],
  ])("%s", (_, documents, more, expected) => {
    expect(evaluate(documents, { ...put, ...more })).toBe(expected);
    expect(
      evaluate(
        documents.map((document) => JSON.stringify(document)),
        { ...put, ...more },
      ),
    ).toBe(expected);
  });

  const role = "arn:aws:iam::111122223333:role/r";
  test.each([
    ["*", { type: "Anonymous" }, "allow"],
    [{ AWS: "*" }, { type: "Anonymous" }, "allow"],
    [{ AWS: role }, { type: "Anonymous" }, "implicitDeny"],
    [{ Service: "lambda.amazonaws.com" }, { type: "Anonymous" }, "implicitDeny"],
    [{ AWS: role }, { type: "AWS", arn: role }, "allow"],
    [{ AWS: "111122223333" }, { type: "AWS", arn: role }, "allow"],
    [{ AWS: "arn:aws:iam::111122223333:root" }, { type: "AWS", arn: role }, "allow"],
    [{ AWS: `${role}2` }, { type: "AWS", arn: role }, "implicitDeny"],
    [{ Service: ["a.amazonaws.com", "b.amazonaws.com"] }, { type: "Service", name: "b.amazonaws.com" }, "allow"],
    [{ Service: "a.amazonaws.com" }, { type: "Service", name: "b.amazonaws.com" }, "implicitDeny"],
    [{ AWS: "*" }, { type: "Service", name: "b.amazonaws.com" }, "implicitDeny"],
    ["*", undefined, "implicitDeny"],
  ] as const)("a policy with the principal %o, called by %o: %s", (Principal, principal, expected) => {
    const policy = allow({ Principal, Action: "s3:PutObject", Resource: "*" });
    expect(evaluate([policy], { ...put, principal })).toBe(expected);
  });

  test.each([
    [{ StringEquals: { "aws:SourceAccount": "1" } }, { "AWS:sourceaccount": "1" }, "allow"],
    [{ StringEquals: { "aws:SourceAccount": ["1", "2"] } }, { "aws:SourceAccount": "2" }, "allow"],
    [{ StringEquals: { "aws:SourceAccount": "1*" } }, { "aws:SourceAccount": "12" }, "implicitDeny"],
    [{ StringLike: { "aws:SourceAccount": "1*" } }, { "aws:SourceAccount": "12" }, "allow"],
    [{ StringEquals: { "aws:SourceAccount": "1" } }, {}, "implicitDeny"],
    [{ ArnLike: { "aws:SourceArn": "arn:aws:s3:::b*" } }, { "aws:SourceArn": "arn:aws:s3:::bucket" }, "allow"],
    [{ ArnEquals: { "aws:SourceArn": "arn:aws:s3:::c" } }, { "aws:SourceArn": "arn:aws:s3:::bucket" }, "implicitDeny"],
    [{ Bool: { "aws:SecureTransport": false } }, { "aws:SecureTransport": "false" }, "allow"],
    [{ Bool: { "aws:SecureTransport": "true" } }, { "aws:SecureTransport": "false" }, "implicitDeny"],
    [{ StringEquals: { a: "1", b: "2" } }, { a: "1", b: "3" }, "implicitDeny"],
    [{ StringEquals: { a: "1" }, Bool: { b: "true" } }, { a: "1", b: "true" }, "allow"],
  ] as const)("condition %o with %o: %s", (Condition, context, expected) => {
    expect(evaluate([allow({ Action: "*", Resource: "*", Condition })], { ...put, context })).toBe(expected);
  });
});

describe("documents that are refused", () => {
  const variable = "$" + "{aws:username}";
  const ok = { Effect: "Allow", Action: "s3:GetObject", Resource: "*" };
  test.each([
    ["an unknown operator", { ...ok, Condition: { NumericLessThan: { a: "1" } } }, /NumericLessThan.*StringEquals/],
    ["an operator with IfExists", { ...ok, Condition: { BoolIfExists: { a: "1" } } }, /BoolIfExists/],
    ["NotPrincipal", { ...ok, NotPrincipal: "*" }, /NotPrincipal/],
    ["an unknown kind of principal", { ...ok, Principal: { Federated: "x" } }, /Federated/],
    ["a policy variable", { ...ok, Resource: `arn:aws:s3:::b/${variable}/*` }, /variables/],
    ["a policy variable in a condition", { ...ok, Condition: { StringLike: { a: variable } } }, /variables/],
    ["a missing Effect", { ...ok, Effect: undefined }, /Effect/],
    ["a missing Action", { ...ok, Action: undefined }, /neither Action/],
    ["both Action and NotAction", { ...ok, NotAction: "s3:*" }, /both/],
    ["a missing Resource", { ...ok, Resource: undefined }, /needs a Resource/],
    ["a bare name as Resource", { ...ok, Resource: "images/*" }, /ARN/],
    ["an action without its service", { ...ok, Action: "GetObject" }, /service:Action/],
    ["a misspelled element", { ...ok, Actions: "s3:*" }, /Actions/],
    ["an empty list", { ...ok, Action: [] }, /empty/],
    ["a number", { ...ok, Action: 1 }, /string/],
  ])("%s", (_, statement, message) => {
    expect(() => parsePolicy({ Version: version, Statement: statement })).toThrow(message);
  });

  test("text that is not JSON, another version, no statement", () => {
    expect(() => parsePolicy("{")).toThrow(/not JSON/);
    expect(() => parsePolicy({ Version: "2020-01-01", Statement: [ok] })).toThrow(/2012-10-17/);
    expect(() => parsePolicy({ Version: version })).toThrow(/Statement\[0\] is missing/);
  });

  test("principals and resources only where the kind of policy has them", () => {
    const of = (statement: object) => ({ Version: version, Statement: statement });
    const trust = { Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "lambda.amazonaws.com" } };
    expect(parsePolicy(of(trust), "trust")).toHaveLength(1);
    expect(() => parsePolicy(of({ ...trust, Resource: "*" }), "trust")).toThrow(/no Resource/);
    expect(() => parsePolicy(of(trust), "resource")).toThrow(/needs a Resource/);
    expect(() => parsePolicy(of(ok), "resource")).toThrow(/needs a Principal/);
    expect(() => parsePolicy(of({ ...ok, Principal: "*" }), "identity")).toThrow(/no Principal/);
  });
});
