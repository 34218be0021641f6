/**
 * What a function throws, and logs as one line. Whoever called it gets `message`; the log gets `code`, on which metric
 * filters match, and `detail`, which tells the operator what was got, what is allowed and what to do. None of them may
 * hold a password, an e-mail address or a part of the secret.
 */
export abstract class LoggedError extends Error {
  /** Stable, in capitals. `name` is the class's, which minification keeps (`infra/lambda/bundle.ts`). */
  readonly code: string;
  /** For the operator only. Not enumerable: Lambda prints the enumerable properties of an error it is thrown. */
  declare readonly detail: string;

  constructor(code: string, message: string, detail: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    Object.defineProperties(this, { name: { value: new.target.name }, detail: { value: detail } });
  }
}

/**
 * What tells an error of MySQL, the driver, Node or the SDK: its code, or the number of one that the driver has no code
 * for; undefined where there is neither.
 */
export function codeOf(error: unknown): unknown {
  const { code, errno } = (error ?? {}) as { code?: unknown; errno?: unknown };
  return code ?? errno;
}
