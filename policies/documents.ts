/** IAM's policy documents, in the one form that rules can read. */

import { isRecord } from "./rule";

/** A statement that allows something; lists hold only what is known. */
export interface Grant {
  readonly actions: readonly string[];
  /** Whether it is written as "everything but" (`NotAction`, `NotResource`, `NotPrincipal`). */
  readonly inverted: boolean;
  readonly resources: readonly string[];
  /** `*`, ARNs, account numbers, service names. */
  readonly principals: readonly string[];
  readonly conditional: boolean;
}

/**
 * @param document JSON text or object; nothing is read from one that is absent or unknown
 * @throws SyntaxError where the text is not JSON
 */
export function grantsOf(document: unknown): Grant[] {
  const parsed: unknown = typeof document === "string" ? JSON.parse(document) : document;
  if (!isRecord(parsed)) return [];
  return [parsed.Statement]
    .flat()
    .filter(isRecord)
    .filter(({ Effect }) => Effect === "Allow")
    .map((statement) => ({
      actions: texts(statement.Action),
      inverted: ["NotAction", "NotResource", "NotPrincipal"].some((key) => statement[key] !== undefined),
      resources: texts(statement.Resource),
      principals: isRecord(statement.Principal)
        ? Object.values(statement.Principal).flatMap(texts)
        : texts(statement.Principal),
      conditional: statement.Condition !== undefined,
    }));
}

const texts = (value: unknown): string[] => [value].flat().filter((item) => typeof item === "string");
