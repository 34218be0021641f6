import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";

/** Cognito waits 5 s for a trigger and ignores a later answer. */
export const triggerTimeoutSeconds = 5;

/**
 * What all functions of the program have in common: a bundle as its code, one runtime, and a log whose lines are JSON,
 * for the metric filters.
 *
 * @param bundle path of the bundle (`bundleFunctions`); it exports `createHandler()`, called once per container
 */
export function functionSettings(bundle: string, logGroupName: pulumi.Input<string>) {
  return {
    // The archive contains the bundle under this path; only Lambda runs the factory.
    callbackFactory: () => require(`./${bundle}`).createHandler(),
    codePathOptions: { extraIncludePaths: [bundle] },
    runtime: aws.lambda.Runtime.NodeJS24dX,
    architectures: ["arm64"],
    loggingConfig: {
      logFormat: "JSON",
      logGroup: logGroupName,
      applicationLogLevel: "INFO",
      // Lambda reports a failed invocation in a line of this level.
      systemLogLevel: "WARN",
    },
  };
}
