import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { bundle, bundledPackages } from "./bundle";

/**
 * What all functions of the program have in common: code from a folder of `functions/`, one runtime, and a log whose
 * lines are JSON, for the metric filters.
 *
 * @param folder below `functions/`; its index.ts has `createHandler()`, called once a container
 * @throws esbuild's error, with the file and line, where the function does not compile
 */
export function functionSettings(folder: string, logGroupName: pulumi.Input<string>) {
  const path = bundle(folder);
  return {
    // The bundle stands in the archive under this path; only Lambda ever runs the factory.
    callbackFactory: () => require(`./${path}`).createHandler(),
    codePathOptions: { extraIncludePaths: [path], extraExcludePackages: bundledPackages },
    runtime: aws.lambda.Runtime.NodeJS24dX,
    architectures: ["arm64"],
    loggingConfig: {
      logFormat: "JSON",
      logGroup: logGroupName,
      applicationLogLevel: "INFO",
      // Lambda's report of an invocation that did not succeed is a line of this level.
      systemLogLevel: "WARN",
    },
  };
}
