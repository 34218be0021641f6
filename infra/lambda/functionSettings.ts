import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";

/** Cognito waits 5 s for a trigger; longer would only work for an answer that nobody hears. */
export const triggerTimeoutSeconds = 5;

/**
 * What all functions of the program have in common: a bundle as its code, one runtime, and a log whose lines are JSON,
 * for the metric filters.
 *
 * @param bundle path of the bundle (`bundleFunctions`); it has `createHandler()`, called once a container
 */
export function functionSettings(bundle: string, logGroupName: pulumi.Input<string>) {
  return {
    // The bundle stands in the archive under this path; only Lambda ever runs the factory.
    callbackFactory: () => require(`./${bundle}`).createHandler(),
    codePathOptions: { extraIncludePaths: [bundle] },
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
