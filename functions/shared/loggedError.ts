/**
 * An error that a function throws, and logs as one line. The caller gets `message`. The log gets `code`, on which
 * metric filters match, and `detail`, which says for the operator what was received, what is allowed and what to do.
 * None of them may contain a password, an e-mail address or a part of the secret.
 */
export abstract class LoggedError extends Error {
  /** Stable, in capitals. `name` is the class's, which minification keeps (`infra/lambda/bundle.ts`). */
  readonly code: string;
  /** For the operator only. Not enumerable, because Lambda prints the enumerable properties of a thrown error. */
  declare readonly detail: string;

  constructor(code: string, message: string, detail: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    Object.defineProperties(this, { name: { value: new.target.name }, detail: { value: detail } });
  }
}

/**
 * The code of an error of MySQL, the driver, Node or the SDK, or its number if the driver has no code for it; undefined
 * if it has neither.
 */
export function codeOf(error: unknown): unknown {
  const { code, errno } = (error ?? {}) as { code?: unknown; errno?: unknown };
  return code ?? errno;
}
