import {
  GetSecretValueCommand,
  SecretsManagerClient,
  type SecretsManagerClientConfig,
} from "@aws-sdk/client-secrets-manager";
import { type DatabaseSecret, parseSecret, SecretMalformed } from "../shared/secret";
import { SecretIncomplete, SecretNotFound, SecretNotJson, SecretUnavailable } from "./errors";

/** Reads the secret's current version; stops when the signal is aborted. */
export type ReadSecret = (signal: AbortSignal) => Promise<DatabaseSecret>;

/**
 * A reader of the named secret through the AWS SDK, which takes the region, the credentials and, for another endpoint,
 * `AWS_ENDPOINT_URL_SECRETS_MANAGER` from the environment. It caches nothing; `Database` keeps the secret.
 * @param config region, credentials or endpoint that replace those of the environment
 * @throws SecretNotFound, SecretUnavailable, SecretNotJson, SecretIncomplete
 */
export function createSecretReader(name: string, config: SecretsManagerClientConfig = {}): ReadSecret {
  const client = new SecretsManagerClient({
    ...config,
    maxAttempts: 3,
    // A lost packet costs one attempt of a second, not the invocation. By default the SDK's `requestTimeout` only
    // warns.
    requestHandler: { connectionTimeout: 500, requestTimeout: 1000, throwOnRequestTimeout: true },
  });
  return async (signal) => {
    try {
      const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: name }), {
        abortSignal: signal,
      });
      return parseSecret(SecretString);
    } catch (error) {
      if (error instanceof SecretMalformed) {
        throw error.isJson ? new SecretIncomplete(error.message) : new SecretNotJson(error.message);
      }
      const missing = error instanceof Error && error.name === "ResourceNotFoundException";
      throw missing ? new SecretNotFound(error) : new SecretUnavailable(error);
    }
  };
}
