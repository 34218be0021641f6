import { EventMalformed } from "./errors";

/** The steps of a rotation, in the order in which Secrets Manager asks for them. */
const STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"] as const;

export type Step = (typeof STEPS)[number];

/** One step of the rotation of one secret. */
export interface Rotation {
  readonly step: Step;
  /** ARN of the secret. */
  readonly secretId: string;
  /** ID of the version that is rotated to; the same in all steps, and when they are repeated. */
  readonly version: string;
}

/**
 * Reads the event of Secrets Manager.
 * {@link https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html}
 * @throws EventMalformed
 */
export function rotationOf(event: unknown): Rotation {
  const { Step, SecretId, ClientRequestToken } = (event ?? {}) as Record<string, unknown>;
  const step = STEPS.find((known) => known === Step);
  if (step === undefined) {
    throw new EventMalformed(`The event's Step is none of ${STEPS.join(", ")}`);
  }
  return { step, secretId: textOf({ SecretId }), version: textOf({ ClientRequestToken }) };
}

function textOf(field: Record<string, unknown>): string {
  const [[key, value]] = Object.entries(field) as [[string, unknown]];
  if (typeof value !== "string" || value === "") {
    throw new EventMalformed(`The event's ${key} is missing or not a string`);
  }
  return value;
}
