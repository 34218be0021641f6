import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { QueueUnavailable } from "./errors";

/** Puts a text into the queue, giving up when the signal says so. @throws QueueUnavailable */
export type Send = (text: string, signal: AbortSignal) => Promise<void>;

/**
 * Sends to the queue through the AWS SDK, which takes the region, the credentials and, for another endpoint,
 * `AWS_ENDPOINT_URL_SQS` from the environment.
 */
export function createSend(queueUrl: string): Send {
  const client = new SQSClient({
    // The URL names the queue; where to send is the environment's to say, as for every other service.
    useQueueUrlAsEndpoint: false,
    maxAttempts: 3,
    // A lost packet costs one attempt of a second and not the invocation; the timers of the SDK only warn otherwise.
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
