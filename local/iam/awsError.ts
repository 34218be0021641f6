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
