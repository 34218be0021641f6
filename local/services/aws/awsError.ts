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
 * @throws AwsError SerializationException where it is no JSON object; the parser's text, which would quote it, stays out
 */
export function jsonBody(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Answered below like any other body that is no JSON object.
  }
  throw new AwsError("SerializationException", 400, "The request body must be a JSON object.");
}

/**
 * AWS's sentence for a caller that no policy allows what it asks for.
 * @param who the role's ARN, the service or the access key
 * @param kind the policies that could have allowed it. @default those of the caller itself
 */
export function notAuthorized(
  who: string | undefined,
  action: string,
  resource: string,
  kind: "identity" | "resource" = "identity",
): string {
  return `User: ${who} is not authorized to perform: ${action} on resource: ${resource} because no ${kind}-based policy allows the ${action} action`;
}
