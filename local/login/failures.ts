import { AwsError } from "../iam/awsError";

/** A request that gets a page of its own instead of what it asked for; nothing of the request is trusted to lead on. */
export class PageError extends Error {
  override readonly name = "PageError";

  constructor(
    readonly status: number,
    readonly title: string,
    message: string,
  ) {
    super(message);
  }
}

/** A request that is answered by sending the browser on. */
export class Redirect extends Error {
  override readonly name = "Redirect";

  /** @param url a path of these pages, or a URL that was registered for the client */
  constructor(readonly url: string) {
    super("Redirect");
  }
}

/** What an OAuth endpoint answers as JSON. */
export class OAuthError extends Error {
  override readonly name = "OAuthError";

  /** @param code for example `invalid_grant` */
  constructor(
    readonly code: string,
    readonly status = 400,
    readonly description?: string,
  ) {
    super(code);
  }
}

/** What Cognito refused, in words for the person; undefined where it is a fault of this program. */
export function refusalText(error: unknown): string | undefined {
  return error instanceof AwsError && error.status < 500 ? error.message : undefined;
}

export function isRefusal(error: unknown, code: string): boolean {
  return error instanceof AwsError && error.code === code;
}
