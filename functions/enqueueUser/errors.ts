import { later, RegistrationError } from "../registerUser/errors";

/** The environment variable `QueueUrl` is unset or empty. */
export class QueueUrlMissing extends RegistrationError {
  constructor() {
    const code = "QUEUE_URL_MISSING";
    const detail = "The environment variable QueueUrl is unset or empty; set it to the URL of the queue";
    super("QueueUrlMissing", code, later(code), detail);
  }
}

/** The queue did not take the message: refused, throttled, gone, or no answer in time. */
export class QueueUnavailable extends RegistrationError {
  constructor(cause: unknown) {
    const code = "QUEUE_UNAVAILABLE";
    const detail = "The message was not sent; check the role's sqs:SendMessage and QueueUrl; the cause has the code";
    super("QueueUnavailable", code, later(code), detail, cause);
  }
}
