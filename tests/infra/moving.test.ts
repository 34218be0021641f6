/** A database that is made private, or public again, stays the same database, with the same users in it. */
import { describe, expect, it } from "vitest";
import { type Registration, registrations } from "../support/registrations";

/** What would be lost, or what would take the database with it, if it were replaced. */
const lasting = [
  "aws:rds/instance:Instance",
  "aws:rds/cluster:Cluster",
  "aws:rds/clusterInstance:ClusterInstance",
  "aws:rds/parameterGroup:ParameterGroup",
  "aws:rds/clusterParameterGroup:ClusterParameterGroup",
  "aws:rds/subnetGroup:SubnetGroup",
  "aws:ec2/vpc:Vpc",
  "aws:ec2/subnet:Subnet",
  "aws:ec2/securityGroup:SecurityGroup",
  "aws:cognito/userPool:UserPool",
  "aws:s3/bucket:Bucket",
  "aws:secretsmanager/secret:Secret",
  "aws:secretsmanager/secretVersion:SecretVersion",
  "random:index/randomPassword:RandomPassword",
];

const nameOf = (resource: unknown) => (resource as { __name: string }).__name;

const kinds = {
  instance: {},
  aurora: { "ecommerce:database": '{"kind":"aurora","maxMemoryGiB":16}' },
};
const prod = (kind: keyof typeof kinds, access: string, deployerCidrs: string) => {
  const reach = { "ecommerce:database.access": access, "ecommerce:database.deployerCidrs": deployerCidrs };
  return registrations("prod", { ...kinds[kind], ...reach });
};

/** URN → inputs of what lasts, without the one that RDS changes in place. */
const whatLasts = (all: readonly Registration[]) =>
  Object.fromEntries(
    all
      .filter(({ type }) => lasting.includes(type))
      .map(({ urn, inputs: { publiclyAccessible, ...inputs } }) => [urn, inputs]),
  );

describe.each(["instance", "aurora"] as const)("a database of the kind %s", (kind) => {
  it("is the same one privately and publicly: URNs and inputs, and all that it stands on", async () => {
    const [hidden, open] = [await prod(kind, "private", "[]"), await prod(kind, "public", '["192.0.2.0/24"]')];
    const before = whatLasts(hidden);
    expect(Object.keys(before).length).toBeGreaterThan(14);
    expect(whatLasts(open)).toEqual(before);

    const accessible = (all: Registration[]) =>
      all.flatMap(({ inputs }) => ("publiclyAccessible" in inputs ? [inputs.publiclyAccessible] : []));
    expect(new Set(accessible(hidden))).toEqual(new Set([false]));
    expect(new Set(accessible(open))).toEqual(new Set([true]));

    // What only the public one has is forgotten and not dropped: the database, its user and what the user may do.
    const only = open.filter(({ type, urn }) => type.startsWith("mysql:") && !hidden.some((one) => one.urn === urn));
    expect(only.map(({ type }) => type)).toContain("mysql:index/database:Database");
    const names = only.map(({ name }) => name);
    for (const { urn, options } of only) {
      // What would be deleted with something that goes at the same time is not deleted by itself.
      const withAnother = options.deletedWith !== undefined && names.includes(nameOf(options.deletedWith));
      expect(options.retainOnDelete || withAnother, urn).toBe(true);
      expect(options.protect ?? false, urn).toBe(false);
    }
  });
});
