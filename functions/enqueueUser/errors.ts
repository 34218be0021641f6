import { InternalError } from "../shared/errors";

/** The environment variable `QueueUrl` is unset or empty. */
export class QueueUrlMissing extends InternalError {
  constructor() {
    const detail = "The environment variable QueueUrl is unset or empty; set it to the URL of the queue";
    super("QUEUE_URL_MISSING", detail);
  }
}

/** The message was not sent: SQS refused or throttled it, did not answer in time, or the queue does not exist. */
export class QueueUnavailable extends InternalError {
  constructor(cause: unknown) {
    const detail = "The message was not sent; check the role's sqs:SendMessage and QueueUrl; the cause has the code";
    super("QUEUE_UNAVAILABLE", detail, cause);
  }
}
