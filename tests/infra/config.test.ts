import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { describeError } from "../../cli/describeError";
import type * as config from "../../infra/config";
import type * as rules from "../../infra/config/validators";
import { loadNatively, projectRoot } from "../support/native";
import { devConfig, recordProgram } from "../support/program";

const { parseConfig, settings, ConfigError } = loadNatively<typeof config>("infra/config/index.ts");
const { callbackUrl, cidr, splitRange, domainPrefix, objectBucketName, privateCidr, corsOrigin } =
  loadNatively<typeof rules>("infra/config/validators.ts");

/** dev's configuration, overridden with these values; undefined removes a key. */
const configWith = (values: Record<string, string | undefined>) =>
  Object.fromEntries(
    Object.entries({ ...devConfig, ...values }).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );

const issuesOf = (values: Record<string, string | undefined>) => {
  try {
    parseConfig(configWith(values), "ecommerce", "dev");
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as config.ConfigError).issues.map(({ key, got, allowed }) => ({ key, got, allowed }));
  }
};

it("fills in defaults", () => {
  const parsed = parseConfig(devConfig, "ecommerce", "dev");
  expect(parsed["database.instanceClass"]).toBe("db.t4g.micro");
  expect(parsed["data.protect"]).toBe(true);
  expect(parsed["database.deployerCidrs"]).toEqual(["192.0.2.0/24"]);
});

it("reports every error at once, each with its key, the value and what is allowed", () => {
  const issues = issuesOf({
    "aws:region": undefined,
    "ecommerce:domainPrefix": "My Shop",
    "ecommerce:bucketName": undefined,
    "ecommerce:callbackUrls": "http://shop.example.com",
    "ecommerce:database":
      '{"storageGiB":"lots","multiAz":1,"multiAZ":true,"deployerCidrs":["10.0.0.1/8"],"access":"open","kind":"cluster","minMemoryGiB":0.5}',
    "ecommerce:secret.recoveryDays": "3",
  });
  expect(issues.map(({ key }) => key).toSorted()).toEqual([
    "aws:region",
    "ecommerce:bucketName",
    "ecommerce:callbackUrls",
    "ecommerce:database.access",
    "ecommerce:database.deployerCidrs",
    "ecommerce:database.kind",
    "ecommerce:database.minMemoryGiB",
    "ecommerce:database.multiAZ",
    "ecommerce:database.multiAz",
    "ecommerce:database.storageGiB",
    "ecommerce:domainPrefix",
    "ecommerce:secret.recoveryDays",
  ]);
  expect(issues.find(({ key }) => key.endsWith("domainPrefix"))!.got).toBe("My Shop");
  expect(issues.find(({ key }) => key.endsWith("storageGiB"))).toMatchObject({
    got: "lots",
    allowed: "a whole number",
  });
});

it("suggests the most similar key for an unknown one", () => {
  expect(issuesOf({ "ecommerce:domianPrefix": "x" })).toEqual([
    {
      key: "ecommerce:domianPrefix",
      allowed: "there is no such key; the nearest is ecommerce:domainPrefix",
    },
  ]);
});

it("accepts keys of other namespaces", () => {
  expect(issuesOf({ "aws:profile": "x", "pulumi:tags": "{}" })).toEqual([]);
});

it("accepts a range of all addresses only if a second key allows it", () => {
  const openToAll = (more = "") =>
    issuesOf({ "ecommerce:database": `{"access":"public","deployerCidrs":["0.0.0.0/0"]${more}}` });
  expect(openToAll()).toEqual([
    {
      key: "ecommerce:database.deployerCidrs",
      got: "0.0.0.0/0",
      allowed: expect.stringContaining("ecommerce:database.allowAnywhere"),
    },
  ]);
  expect(openToAll(',"allowAnywhere":true')).toEqual([]);
  expect(issuesOf({ "ecommerce:database.deployerCidrs": '["::/0"]' })).toEqual([
    {
      key: "ecommerce:database.deployerCidrs",
      got: '["::/0"]',
      allowed: expect.stringContaining('(got "::/0"); the VPC has no IPv6'),
    },
  ]);
});

describe("the message", () => {
  const messageOf = (values: Record<string, string | undefined>) => {
    try {
      parseConfig(configWith(values), "ecommerce", "dev");
    } catch (error) {
      return [(error as Error).message, describeError(error)];
    }
    throw new Error("This configuration has no error.");
  };

  it("says that a key is unknown, without its value", () => {
    const [message] = messageOf({ "ecommerce:domianPrefix": "x" });
    expect(message).toContain(
      "\n  ecommerce:domianPrefix: there is no such key; the nearest is ecommerce:domainPrefix\n",
    );
  });

  it("says what is allowed for a required key that is not set or empty", () => {
    const [missing] = messageOf({ "ecommerce:domainPrefix": undefined });
    expect(missing).toContain("\n  ecommerce:domainPrefix: not set; allowed is a non-empty string\n");
    const [noRegion] = messageOf({ "aws:region": undefined });
    expect(noRegion).toContain("\n  aws:region: not set; allowed is the region to deploy to, such as us-east-1\n");
    const [empty] = messageOf({ "ecommerce:domainPrefix": "", "ecommerce:callbackUrls": "x" });
    expect(empty).toContain("\n  ecommerce:domainPrefix: got an empty string; allowed is a non-empty string\n");
    expect(empty).toContain("\n  ecommerce:callbackUrls: got x; allowed is a list of strings\n");
  });

  it("says that the list of callback URLs must not be empty", () => {
    const [message] = messageOf({ "ecommerce:callbackUrls": "[]" });
    expect(message).toContain("\n  ecommerce:callbackUrls: got []; allowed is a list of at least 1\n");
  });

  it("names Pulumi's command for a deployment, and --set for `npm start`", () => {
    const [deployed, here] = messageOf({ "ecommerce:api.stage": "a b" });
    expect(deployed).toMatch(
      /\nSet a key with `pulumi config set --path KEY VALUE`, or edit Pulumi\.dev\.yaml; docs\/configuration\.md/,
    );
    expect(here).toMatch(
      /\nEdit Pulumi\.dev\.yaml, or give other values with --set KEY=VALUE; docs\/configuration\.md describes each key\.$/,
    );
    expect(here).not.toContain("pulumi config");
  });

  it("suggests valid options", () => {
    const [, here] = messageOf({
      "ecommerce:database": '{"kind":"aurora","storageGiB":21,"deployerCidrs":["192.0.2.0/24"]}',
    });
    expect(here).toMatch(/would do:\n {2}--set 'database\.deployerCidrs=\[\]' --set database\.storageGiB=20$/);
  });
});

describe("settings that contradict each other", () => {
  const one = (database: object) => {
    const issues = issuesOf({ "ecommerce:database": JSON.stringify(database) });
    return issues.map(({ key, got, allowed }) => `${key.replace("ecommerce:database.", "")}: ${got}; ${allowed}`);
  };

  it("accepts a private database without ranges and a public one with them, with and without proxy, of both kinds", () => {
    const reach = [{}, { access: "private" }, { access: "public", deployerCidrs: ["192.0.2.0/24"] }];
    const kinds = [{}, { multiAz: true, storageGiB: 50 }, { kind: "aurora" }, { kind: "aurora", maxMemoryGiB: 64 }];
    for (const access of reach) {
      for (const kind of kinds) {
        for (const proxy of [true, false]) expect(one({ ...access, ...kind, proxy })).toEqual([]);
      }
    }
  });

  it("refuses a public database without ranges, and a private one with ranges", () => {
    expect(one({ access: "public" })).toEqual([
      "deployerCidrs: an empty list; at least the address range that `pulumi up` runs from, such as 198.51.100.7/32; or " +
        "set ecommerce:database.access to private",
    ]);
    expect(one({ deployerCidrs: ["192.0.2.0/24"] })).toEqual([
      "deployerCidrs: 192.0.2.0/24; an empty list, since a private database is reached from inside the VPC only; or set " +
        "ecommerce:database.access to public",
    ]);
  });

  it("refuses settings of the other kind of database", () => {
    expect(one({ kind: "aurora", multiAz: true, instanceClass: "db.m7g.large", storageGiB: 21 })).toEqual([
      expect.stringMatching(/^instanceClass: db.m7g.large; nothing, or its default db.t4g.micro, with .*kind aurora/),
      expect.stringMatching(/^storageGiB: 21; nothing, or its default 20, with .*kind aurora/),
      expect.stringMatching(/^multiAz: true; nothing, or its default false, with .*kind aurora/),
    ]);
    expect(one({ minMemoryGiB: 2, maxMemoryGiB: 16 })).toHaveLength(2);
  });

  it("refuses an Aurora whose minimum is larger than its maximum", () => {
    expect(one({ kind: "aurora", minMemoryGiB: 9 })).toEqual([
      "minMemoryGiB: 9; at most 8, the value of ecommerce:database.maxMemoryGiB",
    ]);
  });
});

it("rejects the program if the configuration has an error", async () => {
  await expect(recordProgram({ "ecommerce:bucketName": "No" })).rejects.toThrow(
    /ecommerce:bucketName: got No; allowed/,
  );
});

it("declares the same keys, types, defaults and descriptions to the Pulumi CLI", () => {
  const declared = parse(readFileSync(join(projectRoot, "Pulumi.yaml"), "utf8")).config;
  const expected = Object.entries(settings).map(([key, setting]) => [
    key,
    {
      type: setting.type,
      description: setting.description,
      ...(setting.type === "array" ? { items: { type: "string" } } : {}),
      ...("default" in setting ? { default: setting.default } : {}),
    },
  ]);
  expect(declared).toEqual(Object.fromEntries(expected));
});

it("describes every key in the table of docs/configuration.md, with its default", () => {
  const table = readFileSync(join(projectRoot, "docs/configuration.md"), "utf8");
  for (const [key, setting] of Object.entries(settings)) {
    const row = table.split("\n").find((line) => line.startsWith(`| \`${key}\` |`));
    expect(row, `docs/configuration.md has no row for ${key}`).toBeDefined();
    if ("default" in setting && setting.default !== undefined) {
      const defaultText = typeof setting.default === "string" ? setting.default : JSON.stringify(setting.default);
      expect(row).toContain(`\`${defaultText}\``);
    }
  }
});

describe("rules", () => {
  it.each([
    [
      "callback URL",
      callbackUrl,
      ["https://a.example/b?c=d", "http://localhost:3000/"],
      ["http://a.example/", "https://a.example/#b", "ftp://a", "a", "http://localhost.evil.example/"],
    ],
    ["domain prefix", domainPrefix, ["a", "shop-1"], ["", "-a", "a-", "A", "my-aws-shop", "cognito1", "a".repeat(64)]],
    [
      "bucket name",
      objectBucketName,
      ["ecommerce-app-jlrg", "a1b"],
      ["ab", "A-b", "a_b", "192.168.5.4", "xn--abc", "abc-s3alias", "-abc", "a".repeat(64)],
    ],
    [
      "range",
      cidr,
      ["198.51.100.0/24", "203.0.113.7/32", "0.0.0.0/0"],
      ["2001:db8::/32", "198.51.100.1/24", "198.51.100.0", "300.1.1.0/24", "1.2.3.0/33", "1.2.3.0/24/1", "x/8"],
    ],
    [
      "range of the VPC",
      privateCidr,
      ["10.20.0.0/16", "10.0.0.0/24"],
      ["10.0.0.0/8", "10.0.0.0/25", "2001:db8::/20", "10.0.0.1/16"],
    ],
    [
      "origin",
      corsOrigin,
      ["*", "https://shop.example.com", "http://localhost:3000"],
      ["https://a.example/b", "'", "a b", "https://a'b"],
    ],
  ] as [string, (value: string) => string | undefined, string[], string[]][])("%s", (_, rule, good, bad) => {
    for (const value of good) expect(rule(value), value).toBeUndefined();
    for (const value of bad) expect(rule(value), value).toEqual(expect.any(String));
  });

  it("cuts a range into equal parts", () => {
    expect(splitRange("10.20.0.0/16", 4, 3)).toEqual(["10.20.0.0/20", "10.20.16.0/20", "10.20.32.0/20"]);
    expect(splitRange("192.168.255.0/24", 4, 2)).toEqual(["192.168.255.0/28", "192.168.255.16/28"]);
  });
});
