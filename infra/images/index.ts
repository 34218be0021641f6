import type { ProgramContext } from "../config";
import { documentedName } from "../names";
import type { UserPool } from "../users/UserPool";
import { ImageApi } from "./ImageApi";
import { ImageApiRole } from "./ImageApiRole";
import { ImageBucket } from "./ImageBucket";

/** The product images: their bucket, and the API with which the pool's users put and get them. */
export function createImages({ stack, region, settings }: ProgramContext, users: UserPool) {
  const bucket = new ImageBucket("images", { bucketName: settings.bucketName, protect: settings["data.protect"] });
  const role = new ImageApiRole("image-api-role", {
    roleName: documentedName("ecommerce-api-gateway-to-s3", stack),
    bucketArn: bucket.arn,
    accountLogRole: settings["api.accountLogRole"],
  });
  const apiName = documentedName("ecommerce-api-for-s3", stack);
  const api = new ImageApi("image-api", {
    region,
    apiName,
    stageName: settings["api.stage"],
    corsOrigin: settings["api.corsOrigin"],
    bucketName: settings.bucketName,
    userPoolArn: users.arn,
    roleArn: role.arn,
    writeScope: users.writeScope,
    errorLogs: role.account && { account: role.account, retentionDays: settings["logs.retentionDays"] },
    uploads: { ownPrefix: settings["api.ownPrefix"], overwrite: settings["api.overwrite"] },
  });
  return { bucket, api, apiName };
}
