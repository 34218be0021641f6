import { OurFault } from "../shared/errors";

/** The environment variable `QueueUrl` is unset or empty. */
export class QueueUrlMissing extends OurFault {
  constructor() {
    const detail = "The environment variable QueueUrl is unset or empty; set it to the URL of the queue";
    super("QUEUE_URL_MISSING", detail);
  }
}

/** The queue did not take the message: refused, throttled, gone, or no answer in time. */
export class QueueUnavailable extends OurFault {
  constructor(cause: unknown) {
    const detail = "The message was not sent; check the role's sqs:SendMessage and QueueUrl; the cause has the code";
    super("QUEUE_UNAVAILABLE", detail, cause);
  }
}
