/** An error that a caller of an AWS service sees: its code, HTTP status and text. */
export class AwsError extends Error {
  override readonly name = "AwsError";

  /**
   * @param code for example `ResourceNotFoundException`.
   * @param status HTTP status.
   * @param more further fields of the JSON body.
   */
  constructor(
    readonly code: string,
    readonly status: number,
    message: string,
    readonly more: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
  }
}

/**
 * The body of a call in AWS's JSON protocols.
 * @throws AwsError SerializationException if it is not a JSON object, without the parser's text, which quotes the body
 */
export function jsonBody(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Invalid JSON gets the same error as JSON that is not an object.
  }
  throw new AwsError("SerializationException", 400, "The request body must be a JSON object.");
}

/**
 * AWS's message for an action that no policy allows.
 * @param who the role's ARN, the service or the access key
 * @param kind the kind of policy that could have allowed it. @default the caller's own policies
 */
export function notAuthorized(
  who: string | undefined,
  action: string,
  resource: string,
  kind: "identity" | "resource" = "identity",
): string {
  return `User: ${who} is not authorized to perform: ${action} on resource: ${resource} because no ${kind}-based policy allows the ${action} action`;
}
