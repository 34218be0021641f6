/** Each stack file of the project: its first preview, and what its protection refuses. */
import { afterEach, describe, expect, test } from "vitest";
import { type Engine, type EngineOptions, hasPulumi, howToGetPulumi, startEngine } from "../support/engine";
import type { Cloud } from "./standin/cloud";
import { dataIn, secretsOf, typesOf } from "./support";

describe.runIf(hasPulumi)(`the stacks on the real engine (${howToGetPulumi})`, { timeout: 300_000 }, () => {
  let engine: Engine;
  const start = async (options: EngineOptions) => {
    engine = await startEngine(options);
    return engine;
  };
  afterEach(() => engine?.dispose());

  /** The warning if the deployer did not run `npm run ca-bundle`; see README.md. */
  const notVerified = expect.stringContaining("The connection that makes the database and its user is encrypted, but");

  test.for([
    { stack: "dev", warnings: [notVerified], schemaBy: "mysql:index/database:Database" },
    { stack: "staging", warnings: [], schemaBy: "aws:lambda/invocation:Invocation" },
    { stack: "prod", warnings: [], schemaBy: "aws:lambda/invocation:Invocation" },
  ])("the preview of $stack has no error and only the expected warnings", async ({ stack, warnings, schemaBy }) => {
    const { preview, cloud } = await start({ stack });
    const run = await preview({ policyPack: "policies" });

    expect(run).toMatchObject({ failure: undefined, warnings, errors: [] });
    expect(run.violations.filter(({ enforcementLevel }) => enforcementLevel === "mandatory")).toEqual([]);
    expect(new Set(run.steps.map(({ op }) => op))).toEqual(new Set(["create"]));
    expect(typesOf(run)).toContain(schemaBy);
    expect(cloud.things()).toEqual([]);
  });

  test("a change that makes prod's database public is refused by the policy pack", async () => {
    const { preview } = await start({
      stack: "prod",
      settings: { "database.access": "public", "database.deployerCidrs": ["198.51.100.7/32"] },
    });
    const run = await preview({ policyPack: "policies" });

    expect(run.failure).toBeDefined();
    expect(run.violations).toContainEqual(
      expect.objectContaining({ policyName: "private-database", enforcementLevel: "mandatory" }),
    );
  });

  /** The key of the identifier of each database that RDS Proxy connects to. */
  const targetsOf = (cloud: Cloud) =>
    cloud
      .things()
      .filter(({ type }) => type === "aws:rds/proxyTarget:ProxyTarget")
      .map(({ inputs }) => Object.keys(inputs).filter((key) => /^db(Instance|Cluster)Identifier$/.test(key)));

  test("staging, with a private database, is deployed, gets a proxy, becomes Aurora, and is destroyed completely", async () => {
    const { up, preview, destroy, set, command, cloud, remembered } = await start({ stack: "staging" });
    expect(await up()).toMatchObject({ failure: undefined, warnings: [], errors: [] });
    expect((await preview()).steps).toEqual([]);

    // RDS Proxy by the steps of docs/operations.md: the secret gets the proxy's address after the proxy exists. The
    // rotation function writes it.
    const host = () => {
      const rotation = cloud.things().find(({ type, name }) => type.endsWith(":Function") && name === "rotate-secret")!;
      return rotation.inputs.environment.variables.SecretHost;
    };
    const before = host();
    await set({ "database.proxy": true });
    await command("up", "--target", "**proxy**", "--yes");
    const proxy = cloud.things().find(({ type }) => type === "aws:rds/proxy:Proxy")!;
    expect(cloud.things().map(({ type }) => type)).toContain("aws:rds/proxyTarget:ProxyTarget");
    expect(host()).toBe(before);
    const moved = await up();
    expect(moved).toMatchObject({ failure: undefined, warnings: [], errors: [] });
    expect(typesOf(moved)).toContain("aws:secretsmanager/secretRotation:SecretRotation");
    expect(host()).toBe(proxy.outputs.endpoint);

    // The proxy stays, and has one target at a time.
    expect(targetsOf(cloud)).toEqual([["dbInstanceIdentifier"]]);
    await set({ "database.kind": "aurora" });
    expect(await up()).toMatchObject({ failure: undefined, warnings: [], errors: [] });
    expect(targetsOf(cloud)).toEqual([["dbClusterIdentifier"]]);
    expect(cloud.find(proxy.type, proxy.id)).toBeDefined();
    expect(cloud.things().map(({ type }) => type)).not.toContain("aws:rds/instance:Instance");

    expect(await destroy()).toMatchObject({ failure: undefined, warnings: [], errors: [] });
    expect(cloud.things()).toEqual([]);
    expect(await remembered()).toEqual([]);
  });

  test("Aurora behind RDS Proxy: the writer first, the proxy after both, the secret after the proxy; and back", async () => {
    const settings = { "database.kind": "aurora", "database.proxy": true };
    const { up, set, destroy, cloud, remembered } = await start({ stack: "staging", settings });
    expect(await up()).toMatchObject({ failure: undefined, warnings: [], errors: [] });
    const members = cloud.things().filter(({ type }) => type === "aws:rds/clusterInstance:ClusterInstance");
    expect(Object.fromEntries(members.map(({ name, outputs }) => [name, outputs.writer]))).toEqual({
      "database-writer": true,
      "database-reader": false,
    });

    expect((await up()).steps).toEqual([]);
    // The stand-in returns the port 0 for the target, as AWS may for a cluster.
    const { secretString } = cloud.things().find(({ name }) => name === "secret-value")!.inputs;
    expect(JSON.parse(secretString)).toMatchObject({ port: 3306 });

    await set({ "database.kind": "instance" });
    expect(await up()).toMatchObject({ failure: undefined, warnings: [], errors: [] });
    expect(targetsOf(cloud)).toEqual([["dbInstanceIdentifier"]]);

    expect(await destroy()).toMatchObject({ failure: undefined, warnings: [], errors: [] });
    expect(cloud.things()).toEqual([]);
    expect(await remembered()).toEqual([]);
  });

  test("prod keeps the resources that hold data when somebody destroys it", async () => {
    const { up, set, preview, previewDestroy, destroy, cloud, stored } = await start({ stack: "prod" });
    expect(await up()).toMatchObject({ failure: undefined, warnings: [], errors: [] });
    const data = dataIn(cloud);
    expect(data).toHaveLength(4);

    expect((await preview()).steps).toEqual([]);
    const secrets = Object.entries(secretsOf(cloud));
    expect(secrets.filter(([, value]) => stored().includes(value)).map(([what]) => what)).toEqual([]);
    expect(secrets.length).toBeGreaterThanOrEqual(2);

    // Another range means another network, and a database cannot move to it.
    await set({ "network.cidr": "10.23.0.0/16" });
    expect((await preview()).failure).toMatch(/::network-vpc"\s+as it is currently marked for protection/);

    // `pulumi destroy` makes a preview first, which fails.
    expect((await previewDestroy()).failure).toContain("cannot be deleted\nbecause it is protected");
    // With --skip-preview it deletes the rest.
    expect((await destroy()).failure).toContain("cannot be deleted\nbecause it is protected");
    expect(dataIn(cloud)).toEqual(data);
  });
});
