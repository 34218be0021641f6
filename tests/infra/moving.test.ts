/** A database that becomes private or public stays the same database, with the same users. */
import { describe, expect, it } from "vitest";
import { type Registration, registrations } from "../support/registrations";

/** Types whose replacement would lose data or replace the database. */
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

/** URN → inputs of these resources, without the input that RDS changes in place. */
const lastingInputs = (all: readonly Registration[]) =>
  Object.fromEntries(
    all
      .filter(({ type }) => lasting.includes(type))
      .map(({ urn, inputs: { publiclyAccessible, ...inputs } }) => [urn, inputs]),
  );

describe.each(["instance", "aurora"] as const)("a database of the kind %s", (kind) => {
  it("has the same URNs and inputs privately and publicly, and so have its network, secret and users", async () => {
    const [privateStack, publicStack] = [
      await prod(kind, "private", "[]"),
      await prod(kind, "public", '["192.0.2.0/24"]'),
    ];
    const before = lastingInputs(privateStack);
    expect(Object.keys(before).length).toBeGreaterThan(14);
    expect(lastingInputs(publicStack)).toEqual(before);

    const accessible = (all: Registration[]) =>
      all.flatMap(({ inputs }) => ("publiclyAccessible" in inputs ? [inputs.publiclyAccessible] : []));
    expect(new Set(accessible(privateStack))).toEqual(new Set([false]));
    expect(new Set(accessible(publicStack))).toEqual(new Set([true]));

    // Resources that only the public stack has leave Pulumi's state and stay on the server: database, user, grants.
    const only = publicStack.filter(
      ({ type, urn }) => type.startsWith("mysql:") && !privateStack.some((one) => one.urn === urn),
    );
    expect(only.map(({ type }) => type)).toContain("mysql:index/database:Database");
    const names = only.map(({ name }) => name);
    for (const { urn, options } of only) {
      // A resource whose `deletedWith` resource is removed at the same time is not deleted on the server either.
      const withAnother = options.deletedWith !== undefined && names.includes(nameOf(options.deletedWith));
      expect(options.retainOnDelete || withAnother, urn).toBe(true);
      expect(options.protect ?? false, urn).toBe(false);
    }
  });
});
