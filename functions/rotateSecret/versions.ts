import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
  type UpdateSecretVersionStageCommandInput,
} from "@aws-sdk/client-secrets-manager";
import { SecretUnavailable } from "./errors";

/** Staging labels by version. */
export type Stages = ReadonlyMap<string, readonly string[]>;

/**
 * The versions of secrets. Every method throws SecretUnavailable if Secrets Manager refuses or does not answer. Reads
 * may not return yet what this function or another client has just written.
 */
export interface SecretVersions {
  /** The staging labels of each version that has any, by the version's ID. */
  stages(secretId: string): Promise<Stages>;
  /** The text of the version of this ID; undefined if there is no such version, or it has no text yet. */
  read(secretId: string, version: string): Promise<string | undefined>;
  /** Writes the text of the pending version; a text that another client has written at the same time stays. */
  putPending(secretId: string, version: string, text: string): Promise<void>;
  /** Moves the label AWSCURRENT; the version that had it becomes AWSPREVIOUS. */
  makeCurrent(secretId: string, version: string, former: string | undefined): Promise<void>;
  /** Takes the label AWSPENDING from the version that has it. */
  noLongerPending(secretId: string, version: string): Promise<void>;
}

/** The versions in Secrets Manager; the AWS SDK's own environment variables set region, credentials and endpoint. */
export function secretsManagerVersions(): SecretVersions {
  const client = new SecretsManagerClient({
    maxAttempts: 4,
    requestHandler: { connectionTimeout: 1000, requestTimeout: 3000, throwOnRequestTimeout: true },
  });
  const label = async (move: UpdateSecretVersionStageCommandInput): Promise<void> => {
    await orUnavailable("UpdateSecretVersionStage", client.send(new UpdateSecretVersionStageCommand(move)));
  };
  return {
    stages: async (SecretId) => {
      const { VersionIdsToStages } = await orUnavailable(
        "DescribeSecret",
        client.send(new DescribeSecretCommand({ SecretId })),
      );
      return new Map(Object.entries(VersionIdsToStages ?? {}));
    },
    read: async (SecretId, VersionId) => {
      const reading = client.send(new GetSecretValueCommand({ SecretId, VersionId }));
      return (await orUnavailable("GetSecretValue", undefinedOn("ResourceNotFoundException", reading)))?.SecretString;
    },
    putPending: async (SecretId, ClientRequestToken, SecretString) => {
      const put = { SecretId, ClientRequestToken, SecretString, VersionStages: ["AWSPENDING"] };
      const putting = client.send(new PutSecretValueCommand(put));
      await orUnavailable("PutSecretValue", undefinedOn("ResourceExistsException", putting));
    },
    makeCurrent: (SecretId, MoveToVersionId, RemoveFromVersionId) =>
      label({ SecretId, VersionStage: "AWSCURRENT", MoveToVersionId, RemoveFromVersionId }),
    noLongerPending: (SecretId, RemoveFromVersionId) =>
      label({ SecretId, VersionStage: "AWSPENDING", RemoveFromVersionId }),
  };
}

/** The response. @throws SecretUnavailable with the call's error as its cause */
async function orUnavailable<T>(operation: string, response: Promise<T>): Promise<T> {
  try {
    return await response;
  } catch (error) {
    throw new SecretUnavailable(operation, error);
  }
}

/** The response, or undefined if the call fails with an error of this name. */
async function undefinedOn<T>(name: string, response: Promise<T>): Promise<T | undefined> {
  try {
    return await response;
  } catch (error) {
    if ((error as { name?: unknown }).name === name) {
      return undefined;
    }
    throw error;
  }
}
