/** Each rule refuses its bad cases and passes its good ones. */
import { describe, expect, it } from "vitest";
import { rules } from "../../policies/pack";
import {
  cases,
  database,
  ingress,
  lambda,
  queuePolicy,
  resource,
  rolePolicy,
  unknown,
  unknownCheckingProxy,
} from "./cases";
import { judge, refused, type Seen } from "./support";

it("has cases for each rule", () => {
  expect(Object.keys(cases)).toEqual(rules.map(({ name }) => name));
});

const each = (kind: "bad" | "good") =>
  Object.entries(cases).flatMap(([rule, pairs]) =>
    pairs[kind].map((item): [string, string, Seen] => [rule, JSON.stringify([item.type, item.props, item.opts]), item]),
  );

describe("in production", () => {
  it.each(each("bad"))("%s refuses %s", (rule, _, item) => {
    const violations = judge([item], "prod").filter(({ policy }) => policy === rule);
    expect(violations[0]).toMatchObject({ level: "mandatory", resource: "it" });
    // Name, type, what was found, what is allowed, what to do.
    expect(violations[0]?.message).toMatch(new RegExp(`^it \\(${item.type}\\): got .+; allowed: .+\\. [A-Z].+\\.`));
    expect(violations[0]?.message).not.toContain("hunter2");
  });

  it.each(each("good"))("%s passes %s", (rule, _, item) => {
    expect(judge([item], "prod").filter(({ policy }) => policy === rule)).toEqual([]);
  });
});

it.each([
  ["prod", "mandatory", "mandatory"],
  ["prod-eu", "mandatory", "mandatory"],
  ["anything-else", "mandatory", "mandatory"],
  ["staging", "mandatory", undefined],
  ["dev", "advisory", undefined],
  ["dev-alice", "advisory", undefined],
])("in stack %s takes a public database as %s and an unprotected one as %s", (stack, forPublic, forUnprotected) => {
  const level = (rule: string, item: Seen) => judge([item], stack).find(({ policy }) => policy === rule)?.level;
  expect(level("private-database", database({ publiclyAccessible: true }))).toBe(forPublic);
  expect(level("protected-data", database({ deletionProtection: false }))).toBe(forUnprotected);
  expect(level("database-not-open-to-all", ingress({ cidrIpv4: "0.0.0.0/0" }))).toBe("mandatory");
});

it("checks known values although others are unknown, as in a first preview", () => {
  const preview = (item: Seen): Seen => ({ ...item, props: unknownCheckingProxy(item.props) });
  const good = [
    database({ parameterGroupName: unknown, password: unknown }),
    ingress({ referencedSecurityGroupId: unknown }),
    resource("aws:iam/rolePolicy:RolePolicy", { policy: unknown }),
    rolePolicy({ Action: "s3:GetObject", Resource: unknown }),
    queuePolicy({ Principal: "*", Condition: { StringEquals: { "aws:SourceAccount": unknown } } }),
    resource("aws:lambda/permission:Permission", { principal: "cognito-idp.amazonaws.com", sourceArn: unknown }),
    resource("aws:sns/topic:Topic", { kmsMasterKeyId: unknown }),
    lambda({ loggingConfig: { logGroup: unknown }, environment: { variables: { PASSWORD: unknown } } }),
  ];
  expect(refused(judge(good.map(preview), "prod"))).toEqual([]);
  const bad = database({ parameterGroupName: unknown, password: unknown, publiclyAccessible: true });
  expect(refused(judge([preview(bad)], "prod"))).toEqual(["private-database: it"]);
});
