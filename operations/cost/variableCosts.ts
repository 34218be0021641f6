import type { ResourceRegistration } from "../../host/resources";
import { type Line, line, lineIfKnown, type NotPriced } from "./line";

/**
 * Assumptions for prices that depend on how the system is used. They are high rather than low, so that the sums are
 * upper bounds. Lambda's requests to an empty queue belong to no sign-up; fixedCosts.ts has them.
 */
export const assumptions = {
  /** Billed duration of one call of a function, with its share of cold starts. */
  secondsPerCall: 0.1,
  /** Lambda's three lines about a call and one line of the function. */
  logKilobytesPerCall: 2,
  /** A function reads the secret once in each of its containers; the assumption is one container for each sign-up. */
  secretReadsPerSignUp: 1,
  /** Sent, received, deleted: without batches. */
  queueRequestsPerMessage: 3,
  /** The upload and the browser's preflight request before it (CORS). */
  apiRequestsPerUpload: 2,
} as const;

/** One thousand of something, line by line. */
export interface Thousand {
  readonly lines: readonly Line[];
  readonly notPriced: readonly NotPriced[];
}

const count = 1000;

/**
 * 1,000 people who sign up, confirm their address and sign in once.
 * @param resources the stack's, as the program registered them
 */
export function thousandSignUps(resources: readonly ResourceRegistration[]): Thousand {
  const pool = resources.find(({ type }) => type === "aws:cognito/userPool:UserPool");
  if (pool === undefined) return { lines: [], notPriced: [] };
  const found: (Line | NotPriced)[] = [
    pool.inputs.userPoolTier === "ESSENTIALS"
      ? line(pool.name, "users of the month, tier Essentials", count, "cognito.user")
      : { of: pool.name, type: pool.type, reason: `the price table has no tier ${pool.inputs.userPoolTier}` },
    ...mails(pool),
  ];
  const called = calledFunctions(pool, resources);
  for (const lambda of new Set(called)) {
    found.push(...calls(lambda, count * called.filter((other) => other === lambda).length));
  }
  const queues = resources.some(({ type }) => type === "aws:lambda/eventSourceMapping:EventSourceMapping");
  if (queues)
    found.push(line("queue", "messages", (count * assumptions.queueRequestsPerMessage) / 1e6, "queue.requests"));
  if (called.length > 0) {
    const reads = (count * assumptions.secretReadsPerSignUp) / 10_000;
    const logs = (count * called.length * assumptions.logKilobytesPerCall) / 1e6;
    found.push(line("secret", "reads, at most", reads, "secret.calls"), line("logs", "written", logs, "log.ingested"));
  }
  return split(found);
}

/** 1,000 pictures of 1 MB that signed-in people upload, and that stay in the bucket for a month. */
export function thousandUploads(resources: readonly ResourceRegistration[]): Thousand {
  const api = resources.find(({ type }) => type === "aws:apigateway/restApi:RestApi");
  const bucket = resources.find(({ type }) => type === "aws:s3/bucket:Bucket");
  if (api === undefined || bucket === undefined) return { lines: [], notPriced: [] };
  return split([
    line(api.name, "requests", (count * assumptions.apiRequestsPerUpload) / 1e6, "api.requests"),
    line(bucket.name, "pictures put", count / 1000, "bucket.put"),
    line(bucket.name, "kept for the first month", count / 1000, "bucket.stored"),
  ]);
}

/** Cognito's own mail is free, but 50 a day at most (Cognito's quotas); SES's is not. */
function mails(pool: ResourceRegistration): Line[] {
  const { emailSendingAccount } = (pool.inputs.emailConfiguration ?? {}) as { emailSendingAccount?: string };
  return emailSendingAccount === "DEVELOPER" ? [line(pool.name, "codes by mail", count / 1000, "mail.ses")] : [];
}

/**
 * The functions that one sign-up calls: after the confirmation, after the sign-in, and from the queue. A function that
 * is called twice is in the list twice.
 */
function calledFunctions(
  pool: ResourceRegistration,
  resources: readonly ResourceRegistration[],
): ResourceRegistration[] {
  const { postConfirmation, postAuthentication } = (pool.inputs.lambdaConfig ?? {}) as Record<string, unknown>;
  const mappings = resources.filter(({ type }) => type === "aws:lambda/eventSourceMapping:EventSourceMapping");
  const called = [postConfirmation, postAuthentication, ...mappings.map(({ inputs }) => inputs.functionName)];
  const functions = resources.filter(({ type }) => type === "aws:lambda/function:Function");
  return called
    .filter((reference) => typeof reference === "string")
    .flatMap((reference) => functions.filter(({ name }) => reference.split(":").at(-1) === name));
}

function calls(lambda: ResourceRegistration, times: number): (Line | NotPriced)[] {
  const { name, type, inputs } = lambda;
  const architecture = (inputs.architectures as string[] | undefined)?.[0] ?? "x86_64";
  const gigabytes = Number(inputs.memorySize ?? 128) / 1024;
  const key = `lambda.${architecture}`;
  const duration = lineIfKnown(
    name,
    `time, ${gigabytes * 1024} MiB`,
    times * assumptions.secondsPerCall * gigabytes,
    key,
  );
  return [
    line(name, "calls", times / 1e6, "lambda.requests"),
    duration ?? { of: name, type, reason: `the price table has no ${key}` },
  ];
}

const split = (found: readonly (Line | NotPriced)[]): Thousand => ({
  lines: found.filter((item): item is Line => !("reason" in item)),
  notPriced: found.filter((item): item is NotPriced => "reason" in item),
});
