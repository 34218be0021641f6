/** The metric filters count each real log line of the packaged function once. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as queueErrors from "../../functions/enqueueUser/errors";
import * as errors from "../../functions/registerUser/errors";
import * as rotationErrors from "../../functions/rotateSecret/errors";
import * as sharedErrors from "../../functions/shared/errors";
import { lineOf, logged } from "../../functions/shared/log";
import type { LoggedError } from "../../functions/shared/loggedError";
import type * as metrics from "../../infra/monitoring/logMetrics";
import { Database, freshUser, SECRET_NAME, SecretsEndpoint, secretFor } from "../functions/support";
import { type LambdaService, startLambda, until } from "../local/services/lambda/support";
import { errorsOf } from "../support/failures";
import { loadNatively } from "../support/native";
import { recordProgram } from "../support/program";
import { filterPattern } from "./filterPattern";

const { registrationMetrics, rotationMetrics } = loadNatively<typeof metrics>("infra/monitoring/logMetrics.ts");
const filtersOf = (patterns: Readonly<Record<string, string>>) =>
  Object.entries(patterns).map(([name, pattern]) => [name, filterPattern(pattern)] as const);
const [ofRegistration, ofRotation] = [filtersOf(registrationMetrics), filtersOf(rotationMetrics)];

/** Metric → how many of these lines it counts; only metrics that count at least one. */
const counts = (lines: readonly string[], filters = ofRegistration) =>
  Object.fromEntries(
    filters.flatMap(([name, matches]) => {
      const count = lines.filter(matches).length;
      return count > 0 ? [[name, count]] : [];
    }),
  );

describe("the packaged function's log", () => {
  let lambdaService: LambdaService;
  let database: Database;
  const secrets = new SecretsEndpoint();
  const platform: Record<string, string> = {};
  /** Uncaught errors: a plain one, one of Node's, and one that cannot be written as JSON. */
  const uncaught = {
    dying: "new Error('x')",
    losingItsConnection: "Object.assign(new Error('x'), { code: 'ECONNRESET' })",
    circular: "(() => { const e = new Error('x'); e.self = e; return e })()",
  };

  beforeAll(async () => {
    [database, lambdaService] = await Promise.all([Database.start(), startLambda(platform)]);
    await secrets.start();
    secrets.secrets.set(SECRET_NAME, secretFor(database.server));
    platform.AWS_ENDPOINT_URL_SECRETS_MANAGER = process.env.AWS_ENDPOINT_URL_SECRETS_MANAGER!;
    platform.NODE_EXTRA_CA_CERTS = database.server.caFile;
    platform.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = "true";
    // The function as the program deploys it, with its archive, log format and levels, but outside of the VPC.
    const { inputs } = (await recordProgram()).one("aws:lambda/function:Function", "register-user");
    const deploy = (name: string, environment = inputs.environment) =>
      lambdaService.make(name, "", { ...inputs, name, role: lambdaService.role, environment, vpcConfig: undefined });
    await deploy("registerUser");
    await deploy("misconfigured", { variables: { SecretName: "" } });
    const { loggingConfig } = inputs;
    const program = await recordProgram({ "ecommerce:secret": '{"rotationDays":30}' });
    const rotate = program.one("aws:lambda/function:Function", "rotate-secret").inputs;
    await lambdaService.make("rotateSecret", "", {
      ...rotate,
      name: "rotateSecret",
      role: lambdaService.role,
      vpcConfig: undefined,
    });
    const unaddressed = { ...rotate, name: "unaddressed", environment: { variables: {} } };
    await lambdaService.make("unaddressed", "", { ...unaddressed, role: lambdaService.role, vpcConfig: undefined });
    await lambdaService.make("unloadable", "require('./nothing')", { loggingConfig });
    for (const [name, thrown] of Object.entries(uncaught)) {
      const code = `exports.handler = async () => { setImmediate(() => { throw ${thrown} }); await new Promise(() => {}) }`;
      await lambdaService.make(name, code, { loggingConfig, timeout: 5 });
    }
  });
  afterAll(async () => {
    await lambdaService?.end();
    await secrets.stop();
    await database?.stop();
  });

  /** What the metrics count in the lines of one invocation. */
  const counted = async (name: string, event: unknown, failed: boolean, filters = ofRegistration) => {
    const before = (await lambdaService.lambda.recentLogs(name)).length;
    expect((await lambdaService.invoke(name, event)).failed).toBe(failed);
    if (failed) await until(async () => (await lambdaService.lambda.recentLogs(name)).length > before);
    return counts((await lambdaService.lambda.recentLogs(name)).slice(before), filters);
  };

  it("counts nothing for a registration, nor for its repetition", async () => {
    const event = freshUser();
    expect(await counted("registerUser", event, false)).toEqual({});
    expect(await counted("registerUser", event, false)).toEqual({});
  });

  it("counts a row that is made at a sign-in, once", async () => {
    const event = freshUser("postAuthentication");
    expect(await counted("registerUser", event, false)).toEqual({ LateRegistrations: 1 });
    expect(await counted("registerUser", event, false)).toEqual({});
  });

  it("counts a conflict once, at the sign-up as well as at a sign-in, and not as a failure", async () => {
    const { email } = freshUser().request.userAttributes;
    const first = freshUser();
    const second = freshUser();
    const third = freshUser("postAuthentication");
    for (const event of [first, second, third]) event.request.userAttributes.email = email;
    expect(await counted("registerUser", first, false)).toEqual({});
    expect(await counted("registerUser", second, true)).toEqual({ EmailConflicts: 1 });
    expect(await counted("registerUser", third, false)).toEqual({ EmailConflicts: 1 });
  });

  it("counts an error once: as a failure at the sign-up, as a late failure at a sign-in", async () => {
    expect(await counted("misconfigured", freshUser(), true)).toEqual({ RegistrationFailures: 1 });
    expect(await counted("misconfigured", freshUser("postAuthentication"), false)).toEqual({
      LateRegistrationFailures: 1,
    });
  });

  it("counts invocations that end without a line of the function's own", async () => {
    expect(await counted("unloadable", {}, true)).toEqual({ RegistrationCrashes: expect.any(Number) });
    for (const name of Object.keys(uncaught)) {
      expect(await counted(name, {}, true), name).toEqual({ RegistrationCrashes: 1 });
    }
  });

  it("counts a failed step of a rotation once, with or without a line of the function's own", async () => {
    expect(await counted("rotateSecret", {}, true, ofRotation)).toEqual({ RotationFailures: 1 });
    for (const name of Object.keys(uncaught)) {
      expect(await counted(name, {}, true, ofRotation), name).toEqual({ RotationFailures: 1 });
    }
  });

  it("counts a rotation function that fails to load because its address is not set", async () => {
    expect(await counted("unaddressed", {}, true, ofRotation)).toEqual({ RotationFailures: expect.any(Number) });
  });
});

describe("every logged error", () => {
  const cause = Object.assign(new Error("quoted"), { code: "ER_X" });
  const allErrors = errorsOf({ ...errors, ...queueErrors, ...sharedErrors }, cause);
  const rendered = (level: string, message: unknown) =>
    JSON.stringify({ timestamp: "2026-01-01T00:00:00.000Z", level, requestId: "1", message });
  /** A thrown error as Lambda's runtime writes it (`LogPatch.js`), with the function's mark. */
  const thrownAs = (error: LoggedError) =>
    rendered("ERROR", { errorType: "n", errorMessage: error.message, stackTrace: [], ...logged(error) });

  it.each(allErrors.map((error) => [error.code, error] as const))(
    "%s is counted once, by one metric",
    (code, error) => {
      const conflict = code === "EMAIL_CONFLICT";
      expect(counts([rendered("ERROR", lineOf(error)), thrownAs(error)])).toEqual(
        conflict ? { EmailConflicts: 1 } : { RegistrationFailures: 1 },
      );
      expect(counts([rendered("WARN", lineOf(error))])).toEqual(
        conflict ? { EmailConflicts: 1 } : { LateRegistrationFailures: 1 },
      );
    },
  );

  const allRotationErrors = errorsOf(rotationErrors);
  it.each(allRotationErrors.map((error) => [error.code, error] as const))(
    "%s of a rotation is counted once",
    (_, error) => {
      const lines = [rendered("ERROR", lineOf(error)), thrownAs(error), rendered("INFO", { code: "ROTATED" })];
      expect(counts(lines, ofRotation)).toEqual({ RotationFailures: 1 });
    },
  );

  it("counts as a crash if only Lambda reports it, and is not counted again if the function threw it", () => {
    /** A report as in Lambda's telemetry: `errorType` is beside `status` if that is not `success`. */
    const report = (status: string, errorType?: string) =>
      JSON.stringify({
        time: "2026-01-01T00:00:00.000Z",
        type: "platform.report",
        record: { requestId: "1", metrics: { durationMs: 1 }, status, ...(errorType ? { errorType } : {}) },
      });
    for (const crash of [
      report("timeout"),
      report("error", "Runtime.OutOfMemory"),
      report("error", "Runtime.ExitError"),
      report("failure", "Sandbox.Failure"),
    ]) {
      expect(counts([crash]), crash).toEqual({ RegistrationCrashes: 1 });
      expect(counts([crash], ofRotation), crash).toEqual({ RotationFailures: 1 });
    }
    // `Runtime.Unknown` is Lambda's type for an error whose name it does not know.
    const others = [
      report("error", "Runtime.Unknown"),
      report("error"),
      report("success"),
      "no JSON",
      '"text"',
      "null",
    ];
    expect(counts(others)).toEqual({});
    expect(counts(others, ofRotation)).toEqual({});
  });
});

it("the evaluator refuses patterns outside its subset", () => {
  for (const pattern of ['$.a = "b"', "{ $.a = b }", '{ $.a = "b" } x', "{ $.a IS TRUE }", '{ ($.a = "b" }']) {
    expect(() => filterPattern(pattern), pattern).toThrow("Filter pattern");
  }
  expect(filterPattern('{ ($.a = "x*") || (($.b != "y") && ($.c NOT EXISTS)) }')('{"b":"z"}')).toBe(true);
  expect(filterPattern('{ ($.a = "x*") || (($.b != "y") && ($.c NOT EXISTS)) }')('{"b":"z","c":null}')).toBe(false);
});
