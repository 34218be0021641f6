/** Resources with data: protected by default, deleted with the stack if configured. */
import { expect, it } from "vitest";
import type * as host from "../../host/program";
import { loadNatively } from "../support/native";
import { devConfig, recordProgram } from "../support/program";
import { registrations, registrationsOf } from "../support/registrations";

it("protects the database, the pool, the bucket and the secret by default", async () => {
  const byDefault = await recordProgram();
  expect(byDefault.one("aws:rds/instance:Instance").inputs).toMatchObject({
    deletionProtection: true,
    skipFinalSnapshot: false,
    finalSnapshotIdentifier: "database-dev-final",
  });
  expect(byDefault.one("aws:cognito/userPool:UserPool").inputs.deletionProtection).toBe("ACTIVE");
  expect(byDefault.one("aws:s3/bucket:Bucket").inputs.forceDestroy).toBe(false);
  expect(byDefault.one("aws:secretsmanager/secret:Secret").inputs.recoveryWindowInDays).toBe(7);

  const unprotected = await recordProgram({
    "ecommerce:data": '{"protect":false}',
    "ecommerce:secret": '{"recoveryDays":0}',
  });
  expect(unprotected.one("aws:rds/instance:Instance").inputs).toMatchObject({
    deletionProtection: false,
    skipFinalSnapshot: true,
  });
  expect(unprotected.one("aws:cognito/userPool:UserPool").inputs.deletionProtection).toBe("INACTIVE");
  expect(unprotected.one("aws:s3/bucket:Bucket").inputs.forceDestroy).toBe(true);
  expect(unprotected.one("aws:secretsmanager/secret:Secret").inputs.recoveryWindowInDays).toBe(0);
});

it("names the final snapshot with characters that RDS accepts, whatever the stack's name has", async () => {
  const { preload } = loadNatively<typeof host>("host/program.ts");
  const all = await registrationsOf("team_a.eu", devConfig, preload());
  const database = all.find(({ type }) => type === "aws:rds/instance:Instance")!;
  expect(database.inputs.finalSnapshotIdentifier).toBe("database-team-a-eu-final");
});

it.each([true, false])(
  "protects the network together with database, bucket, pool, secret and queues: %s",
  async (protect) => {
    const all = await registrations("prod", { "ecommerce:data": JSON.stringify({ protect }) });
    const protectedOnes = all.filter(({ options }) => options.protect === true).map(({ name }) => name);
    const kept = ["database", "images", "network-vpc", "registration-buffer-dead-letters", "registration-buffer-queue"];
    expect(protectedOnes.toSorted()).toEqual(protect ? [...kept, "secret", "users"].toSorted() : []);
  },
);

it("appends the stack's name to names that must be unique in an account, except in dev", async () => {
  const staging = await recordProgram({}, "staging");
  expect(staging.one("aws:secretsmanager/secret:Secret").inputs.name).toBe("ecommerce_secret-staging");
  expect(staging.one("aws:iam/role:Role", "image-api-role").inputs.name).toBe("ecommerce-api-gateway-to-s3-staging");
});
