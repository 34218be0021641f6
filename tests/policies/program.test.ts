/** The current stacks pass; forbidden changes are refused by the named rule. */
import { readFileSync } from "node:fs";
import path from "node:path";
import * as proxy from "@pulumi/policy/proxy";
import { expect, it } from "vitest";
import { exceptions } from "../../policies/exceptions";
import { rules } from "../../policies/pack";
import { taggable } from "../../policies/tags";
import { loadNatively, projectRoot } from "../support/native";
import { judge, refused, registeredBy, type Seen } from "./support";

/** The SDK's representation of values that are unknown in a preview; its types do not declare it. */
const { unknownCheckingProxy, unknownStringValue: unknown } = proxy as any;

/** Settings with which the program registers all optional resources. */
const everything = [
  "registration.buffer=true",
  "secret.rotationDays=30",
  "api.writers=application",
  "alarms.email=a@example.com",
];
/** Aurora, with the defaults of the settings that only an instance has. */
const aurora = ["kind=aurora", "instanceClass=db.t4g.micro", "storageGiB=20", "multiAz=false"].map(
  (setting) => `database.${setting}`,
);
const variants = [everything, aurora, [...aurora, "database.proxy=true"]];
const trialOnly = ["private-database"];

it.each(["dev", "staging", "prod"])("passes %s with exactly the named exceptions", async (stack) => {
  for (const settings of [[], ...variants]) {
    const violations = judge(await registeredBy(stack, settings), stack);
    expect(refused(violations), settings.join()).toEqual([]);
    const advice = violations.filter(({ policy }) => stack !== "dev" || !trialOnly.includes(policy));
    expect(advice.map(({ policy }) => policy)).toEqual(exceptions.map(() => "named-exceptions"));
    for (const { resource, reason, document } of exceptions) {
      const text = advice.find((violation) => violation.resource === resource)?.message;
      expect(text).toContain(reason);
      expect(text).toContain(document);
    }
  }
});

it.each([
  [["database.access=public", 'database.deployerCidrs=["192.0.2.0/24"]'], ["private-database"]],
  [
    ["database.access=public", "database.allowAnywhere=true", 'database.deployerCidrs=["0.0.0.0/0"]'],
    ["private-database", "database-not-open-to-all"],
  ],
  [["data.protect=false"], ["protected-data"]],
  [["secret.recoveryDays=0"], ["protected-data"]],
  [["database.backupDays=1"], ["retention"]],
  [[...aurora, "data.protect=false"], ["protected-data"]],
  [["aws:defaultTags.tags.stack=dev"], ["tags"]],
])("refuses %j in prod by %j", async (settings, expected) => {
  const violations = judge(await registeredBy("prod", settings), "prod");
  expect([...new Set(refused(violations).map((line) => line.split(":")[0]))]).toEqual(expected);
});

it("reports each unprotected resource", async () => {
  const lines = refused(judge(await registeredBy("prod", ["data.protect=false"]), "prod"));
  for (const name of ["database", "users", "images", "secret"]) expect(lines).toContain(`protected-data: ${name}`);
});

const statements = (resource: Seen) => {
  const { policy } = resource.props;
  return (typeof policy === "string" ? JSON.parse(policy) : policy).Statement;
};
const edits: [string, string, (resource: Seen) => object][] = [
  ["database", "encryption-at-rest", () => ({ storageEncrypted: false })],
  ["database", "database-tls", () => ({ parameterGroupName: undefined })],
  ["database-parameters", "database-tls", () => ({ parameters: [] })],
  ["monitoring-alarms", "encryption-at-rest", () => ({ kmsMasterKeyId: undefined })],
  [
    "register-user-policy",
    "named-permissions",
    (it) => ({ policy: { Statement: [...statements(it), { Effect: "Allow", Action: "s3:*", Resource: "*" }] } }),
  ],
  ["register-user-from-pool", "named-callers", () => ({ sourceArn: undefined })],
  ["register-user", "no-secret-in-plain", () => ({ environment: { variables: { PASSWORD: "hunter2" } } })],
  ["register-user-logs", "retention", () => ({ retentionInDays: 0 })],
  // The exceptions cover only their exact findings.
  [
    "images-policy",
    "named-callers",
    (it) => ({ policy: { Statement: [{ ...statements(it)[0], Action: ["s3:GetObject", "s3:PutObject"] }] } }),
  ],
  [
    "image-api-role-ecommerce-cognito-policy",
    "named-permissions",
    (it) => ({
      policy: { Statement: [...statements(it), { Effect: "Allow", Action: "iam:PassRole", Resource: "*" }] },
    }),
  ],
  ["image-api-role-logs", "own-policies", () => ({ policyArn: "arn:aws:iam::aws:policy/AdministratorAccess" })],
];

it("refuses forbidden changes of the program's resources, also of those with an exception", async () => {
  const program = await registeredBy("prod");
  for (const [name, rule, edit] of edits) {
    const at = program.findIndex((resource) => resource.name === name && Object.keys(resource.props).length > 0);
    expect(at, name).toBeGreaterThanOrEqual(0);
    const target = program[at]!;
    const edited = program.with(at, { ...target, props: { ...target.props, ...edit(target) } });
    expect([...new Set(refused(judge(edited, "prod")))], name).toEqual([`${rule}: ${name}`]);
  }
});

it("reports an exception that no longer applies", async () => {
  const program = await registeredBy("prod");
  const closed = program.map((resource) =>
    resource.name === "images-access"
      ? {
          ...resource,
          props: {
            blockPublicAcls: true,
            blockPublicPolicy: true,
            ignorePublicAcls: true,
            restrictPublicBuckets: true,
          },
        }
      : resource,
  );
  const without = closed.filter(({ name }) => name !== "image-api-role-logs");
  const stale = judge(without, "prod").filter(({ policy }) => policy === "exceptions-in-use");
  expect(stale.map(({ message }) => message.split(" ")[0])).toEqual(["images-access", "image-api-role-logs"]);
  expect(stale[0]?.level).toBe("advisory");
});

it("counts an exception as needed if its resource has unknown inputs", async () => {
  const program = await registeredBy("prod");
  const preview = program.map((resource) =>
    resource.name === "images-policy"
      ? { ...resource, props: unknownCheckingProxy({ bucket: "images", policy: unknown }) }
      : resource,
  );
  expect(judge(preview, "prod").filter(({ policy }) => policy === "exceptions-in-use")).toEqual([]);
});

it("has exceptions that name existing rules and sections of docs/security.md", () => {
  const names = rules.map(({ name }) => name);
  const security = readFileSync(path.join(projectRoot, "docs/security.md"), "utf8");
  for (const { rule, document } of exceptions) {
    expect(names).toContain(rule);
    expect(security).toContain(`\n## ${/"(.+)"/.exec(document)?.[1]}\n`);
  }
});

it("lists every type of the program that takes tags", async () => {
  const types = new Set<string>();
  for (const settings of variants) {
    for (const { type } of await registeredBy("prod", settings)) if (type.startsWith("aws:")) types.add(type);
  }
  for (const type of types) {
    const [, module = "", name = ""] = /^aws:(.+)\/\w+:(\w+)$/.exec(type) ?? [];
    const resourceClass = loadNatively<any>("node_modules/@pulumi/aws")[module][name];
    // The SDK lists a resource's inputs and outputs in its constructor.
    expect(taggable.has(type), type).toBe(/"tagsAll"/.test(String(resourceClass)));
  }
});
