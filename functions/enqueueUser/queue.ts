import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { QueueUnavailable } from "./errors";

/** Sends a text to the queue; stops when the signal is aborted. @throws QueueUnavailable */
export type Send = (text: string, signal: AbortSignal) => Promise<void>;

/**
 * Sends to the queue through the AWS SDK, which takes the region, the credentials and, for another endpoint,
 * `AWS_ENDPOINT_URL_SQS` from the environment.
 */
export function createSend(queueUrl: string): Send {
  const client = new SQSClient({
    // The URL only names the queue; the environment sets the endpoint, as for every other service.
    useQueueUrlAsEndpoint: false,
    maxAttempts: 3,
    // A lost packet costs one attempt of a second, not the invocation. By default the SDK's `requestTimeout` only
    // warns.
    requestHandler: { connectionTimeout: 500, requestTimeout: 1000, throwOnRequestTimeout: true },
  });
  return async (text, signal) => {
    try {
      await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: text }), { abortSignal: signal });
    } catch (error) {
      throw new QueueUnavailable(error);
    }
  };
}
