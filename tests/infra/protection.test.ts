/** What holds data: kept by default, given up where a stack is thrown away. */
import { expect, it } from "vitest";
import { recordProgram } from "../support/program";
import { registrations } from "../support/registrations";

it("protects the database, the pool, the bucket and the secret unless told otherwise", async () => {
  const kept = await recordProgram();
  expect(kept.one("aws:rds/instance:Instance").inputs).toMatchObject({
    deletionProtection: true,
    skipFinalSnapshot: false,
    finalSnapshotIdentifier: "database-dev-final",
  });
  expect(kept.one("aws:cognito/userPool:UserPool").inputs.deletionProtection).toBe("ACTIVE");
  expect(kept.one("aws:s3/bucket:Bucket").inputs.forceDestroy).toBe(false);
  expect(kept.one("aws:secretsmanager/secret:Secret").inputs.recoveryWindowInDays).toBe(7);

  const thrownAway = await recordProgram({
    "ecommerce:data": '{"protect":false}',
    "ecommerce:secret": '{"recoveryDays":0}',
  });
  expect(thrownAway.one("aws:rds/instance:Instance").inputs).toMatchObject({
    deletionProtection: false,
    skipFinalSnapshot: true,
  });
  expect(thrownAway.one("aws:cognito/userPool:UserPool").inputs.deletionProtection).toBe("INACTIVE");
  expect(thrownAway.one("aws:s3/bucket:Bucket").inputs.forceDestroy).toBe(true);
  expect(thrownAway.one("aws:secretsmanager/secret:Secret").inputs.recoveryWindowInDays).toBe(0);
});

it.each([true, false])("protects the network with what stands in it: %s", async (protect) => {
  const all = await registrations("prod", { "ecommerce:data": JSON.stringify({ protect }) });
  const protectedOnes = all.filter(({ options }) => options.protect === true).map(({ name }) => name);
  const kept = ["database", "images", "network-vpc", "registration-buffer-dead-letters", "registration-buffer-queue"];
  expect(protectedOnes.toSorted()).toEqual(protect ? [...kept, "secret", "users"].toSorted() : []);
});

it("gives names that must be unique in an account the stack's name, in every stack but dev", async () => {
  const staging = await recordProgram({}, "staging");
  expect(staging.one("aws:secretsmanager/secret:Secret").inputs.name).toBe("ecommerce_secret-staging");
  expect(staging.one("aws:iam/role:Role", "image-api-role").inputs.name).toBe("ecommerce-api-gateway-to-s3-staging");
});
