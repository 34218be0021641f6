import { CommandError } from "../../cli/commandError";
import { readOutputs } from "../../cli/localOutputs";
import { stackOutputs } from "../../cli/pulumi";

/** A deployed system: its user pool, its database, and how to reach them. */
export interface Target {
  /** As text for messages. */
  readonly name: string;
  readonly userPoolId: string;
  readonly secretName: string;
  readonly region: string;
  /** The local system's credentials. @default those that the AWS SDK finds in the environment */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** URLs of the local system's services. @default AWS's, or those of the environment */
  readonly endpoints?: { readonly cognito: string; readonly secretsManager: string };
  /** A file of certificate authorities that vouch for the database. @default NODE_EXTRA_CA_CERTS of the environment */
  readonly caFile?: string;
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
    region: outputs.region,
    credentials: { accessKeyId: outputs.accessKeyId, secretAccessKey: outputs.secretAccessKey },
    endpoints: { cognito: outputs.cognitoEndpoint, secretsManager: outputs.secretsManagerEndpoint },
    caFile: outputs.authorityFile,
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
    region: region!,
    unreachable:
      "A private database can be reached only from its own VPC; docs/operations.md describes how. A public one can also be " +
      "reached from the address ranges in `ecommerce:database.deployerCidrs`: run this from there, or add this machine's " +
      "range and deploy.",
  };
}
