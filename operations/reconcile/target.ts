import { CommandError } from "../../cli/commandError";
import { readOutputs } from "../../cli/localOutputs";
import { stackOutputs } from "../../cli/pulumi";

/** A deployed system: its user pool, its database, and how to reach them. */
export interface Target {
  /** As text for messages. */
  readonly name: string;
  readonly userPoolId: string;
  readonly secretName: string;
  /** Environment variables with which the AWS SDK and the function's own code find it; undefined unsets one. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** A sentence with what to check when its database cannot be reached. */
  readonly unreachable: string;
}

/**
 * The local system that runs on a data folder.
 * @throws CommandError where none runs there, or it is not ready yet
 */
export async function localTarget(directory: string): Promise<Target> {
  const outputs = await readOutputs(directory);
  return {
    name: `the local system on ${directory}`,
    userPoolId: outputs.userPoolId,
    secretName: outputs.secretName,
    environment: {
      AWS_REGION: outputs.region,
      AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER: outputs.cognitoEndpoint,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: outputs.secretsManagerEndpoint,
      AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: undefined,
      AWS_ACCESS_KEY_ID: outputs.accessKeyId,
      AWS_SECRET_ACCESS_KEY: outputs.secretAccessKey,
      AWS_SESSION_TOKEN: undefined,
      // The SDK would use a profile before these keys.
      AWS_PROFILE: undefined,
      NODE_EXTRA_CA_CERTS: outputs.authorityFile,
    },
    unreachable: "Look at what `npm start` prints about the database server.",
  };
}

/**
 * A stack on AWS, by its outputs. The credentials are those that the AWS SDK finds in the environment.
 * @throws CommandError where it is not deployed, or the Pulumi CLI does not print its outputs
 */
export async function stackTarget(stack: string): Promise<Target> {
  const outputs = await stackOutputs(stack);
  const missing = ["region", "userPoolId", "secretName"].filter((name) => typeof outputs[name] !== "string");
  if (missing.length > 0) {
    throw new CommandError(
      `Stack ${stack} has no output ${missing.join(", ")}. Deploy it with \`pulumi up --stack ${stack}\` first.`,
    );
  }
  const { region, userPoolId, secretName } = outputs as Record<string, string>;
  return {
    name: `stack ${stack} in ${region}`,
    userPoolId: userPoolId!,
    secretName: secretName!,
    environment: { AWS_REGION: region },
    unreachable:
      "A private database can be reached only from its own VPC; docs/operations.md describes how. A public one can also be " +
      "reached from the address ranges in `ecommerce:database.deployerCidrs`: run this from there, or add this machine's " +
      "range and deploy.",
  };
}
