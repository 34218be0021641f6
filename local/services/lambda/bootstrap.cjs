// Runs one Lambda function: started by container.ts once for each container, with the function's folder as the current
// one and only the function's environment. Plain JavaScript, so that it starts without a loader, as on Lambda.
//
// The channel to the parent is Node's own (IPC), not the HTTP of Lambda's Runtime API: it has framing, costs a tenth of
// a millisecond, needs no port that others could call, and closes when the parent ends for any reason. Then this
// process ends too.
const { existsSync, realpathSync, writeSync } = require("node:fs");
const Module = require("node:module");
const path = require("node:path");
const { pathToFileURL } = require("node:url");
const { format, types } = require("node:util");

const env = process.env;
const root = realpathSync(process.cwd());
const channel = process.channel;
const sendToParent = process.send.bind(process);
delete process.send; // The function has no channel on Lambda either.
process.on("disconnect", () => process.exit());

let current; // The invocation under way.

const send = (message, then) => sendToParent(message, undefined, undefined, then ?? (() => {}));

// ---- Modules: a package that the archive lacks must be missing here too, although a parent folder has this project's.

const isInside = (file) => file === root || file.startsWith(root + path.sep);
const pathsAbove = Module._nodeModulePaths;
Module._nodeModulePaths = (from) => (isInside(from) ? pathsAbove(from).filter(isInside) : pathsAbove(from));
const resolveFilename = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  try {
    return resolveFilename.call(this, request, ...rest);
  } catch (error) {
    // Lambda's runtime contains the AWS SDK.
    if (error.code !== "MODULE_NOT_FOUND" || !/^@(aws-sdk|smithy)\//.test(request)) throw error;
    return resolveFilename.call(this, request, module);
  }
};

// ---- Logs: one line per entry, in Lambda's JSON or text format, written synchronously.

const levels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
const lowest = Math.max(0, levels.indexOf(env.AWS_LAMBDA_LOG_LEVEL ?? "TRACE"));

const withErrors = (_key, value) => (value instanceof Error ? { ...describe(value), ...value } : value);
const describe = (error) => ({
  errorType: error.constructor?.name ?? "UnknownError",
  errorMessage: error.message,
  stackTrace: typeof error.stack === "string" ? error.stack.split("\n") : [],
});

function jsonEntry(level, values) {
  const entry = { timestamp: new Date().toISOString(), level, requestId: current?.id };
  if (values.length !== 1) {
    const error = values.find((value) => value instanceof Error);
    return JSON.stringify({ ...entry, message: format(...values), ...(error && describe(error)) });
  }
  try {
    return JSON.stringify({ ...entry, message: values[0] }, withErrors);
  } catch {
    return JSON.stringify({ ...entry, message: format(values[0]) });
  }
}

const textEntry = (level, values) =>
  `${new Date().toISOString()}\t${current?.id}\t${level}\t${format(...values)}`.replace(/\r?\n/g, "\r");

const entryOf = env.AWS_LAMBDA_LOG_FORMAT === "JSON" ? jsonEntry : textEntry;
for (const [rank, level] of levels.entries()) {
  console[level.toLowerCase()] =
    rank < lowest ? () => {} : (...values) => writeNow(Buffer.from(`${entryOf(level, values)}\n`));
}
console.log = console.info;

/** Does not use the stream: an entry must be written even if the next statement ends the process. */
function writeNow(bytes) {
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(1, bytes, written);
    } catch (error) {
      if (error.code !== "EAGAIN") return; // The reader has ended, and this process will end soon.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1); // The pipe is full: give the reader a millisecond.
    }
  }
}

// ---- Answers

function errorOf(thrown) {
  if (types.isNativeError(thrown) || thrown instanceof Error) {
    return { errorType: thrown.name, errorMessage: thrown.message, trace: String(thrown.stack).split("\n") };
  }
  return { errorType: typeof thrown, errorMessage: String(thrown), trace: [] };
}

function finish(invocation, thrown, result) {
  if (invocation !== current) return; // Answered already; only the first answer counts.
  let message;
  if (thrown === undefined) {
    try {
      message = { type: "answer", id: invocation.id, payload: JSON.stringify(result) ?? "null" };
    } catch {
      thrown = new Error("Unable to stringify response body");
    }
  }
  if (thrown !== undefined) {
    console.error(thrown instanceof Error ? thrown : new Error(String(thrown)));
    message = { type: "error", id: invocation.id, error: errorOf(thrown) };
  }
  current = undefined;
  channel.ref();
  send(message);
}

/** An uncaught error ends the container; without an invocation under way it counts as a failed start. */
function fatal(error) {
  console.error(error);
  send({ type: current ? "error" : "failedStart", id: current?.id, error: errorOf(error), fatal: true }, () => {
    process.exit(1);
  });
}
process.on("uncaughtException", fatal);
process.on("unhandledRejection", (reason) => {
  const error = new Error(reason instanceof Error ? `${reason.name}: ${reason.message}` : String(reason));
  error.name = "Runtime.UnhandledPromiseRejection";
  if (reason instanceof Error) error.stack = reason.stack;
  fatal(error);
});
// Nothing is pending and there is no answer: the answer is the callback's result, or null if it was not called.
process.on("beforeExit", () => {
  if (current) finish(current, undefined, current.waiting?.result ?? null);
});

// ---- The handler

function failure(name, message) {
  return Object.assign(new Error(message), { name: `Runtime.${name}` });
}

const importFile = (file) => import(pathToFileURL(file).href);

/** A `.js` file may be an ES module, if the archive's package.json says so. */
async function requireOrImport(file) {
  try {
    return require(file);
  } catch (error) {
    if (error?.code !== "ERR_REQUIRE_ESM") throw error;
    return importFile(file);
  }
}

async function loadHandler(handler) {
  const at = handler.lastIndexOf("/") + 1;
  const [file, ...names] = handler.slice(at).split(".");
  const base = path.resolve(root, handler.slice(0, at), file);
  const found = ["", ".js", ".mjs", ".cjs"].map((end) => base + end).find((candidate) => existsSync(candidate));
  let loaded;
  try {
    loaded = found?.endsWith(".mjs") ? await importFile(found) : await requireOrImport(found ?? base);
  } catch (error) {
    if (error instanceof SyntaxError) throw failure("UserCodeSyntaxError", `SyntaxError: ${error.message}`);
    if (error?.code === "MODULE_NOT_FOUND" || error?.code === "ERR_MODULE_NOT_FOUND") {
      throw failure("ImportModuleError", `Error: ${error.message}`);
    }
    throw error;
  }
  const exported = names.reduce((value, name) => value?.[name], loaded);
  if (typeof exported === "function") return exported;
  throw failure(
    "HandlerNotFound",
    `${handler} is ${exported === undefined ? "undefined or not exported" : "not a function"}`,
  );
}

function contextOf(invocation, { arn, deadline }) {
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn: arn,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    awsRequestId: invocation.id,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    getRemainingTimeInMillis: () => deadline - Date.now(),
    done: (error, result) => finish(invocation, error ?? undefined, result),
    fail: (error) => finish(invocation, error ?? "handled"),
    succeed: (result) => finish(invocation, undefined, result),
  };
}

function invoke(handler, request) {
  const invocation = { id: request.id };
  current = invocation;
  // From here on the channel does not keep the process alive, so that `beforeExit` fires when nothing is pending.
  channel.unref();
  const context = contextOf(invocation, request);
  const callback = (error, result) => {
    if (error === undefined || error === null) invocation.waiting ??= { result };
    if (error || !context.callbackWaitsForEmptyEventLoop) finish(invocation, error ?? undefined, result);
  };
  try {
    const returned = handler(JSON.parse(request.event), context, callback);
    if (typeof returned?.then === "function") {
      returned.then(
        (result) => finish(invocation, undefined, result),
        (error) => finish(invocation, error ?? "handled"),
      );
    }
  } catch (error) {
    finish(invocation, error ?? "handled");
  }
}

loadHandler(env._HANDLER).then((handler) => {
  if (env.AWS_EXECUTION_ENV === "AWS_Lambda_nodejs24.x" && handler.length > 2) {
    fatal(
      failure(
        "CallbackHandlerDeprecated",
        "From Node.js 24 on, Lambda supports no handlers with a callback; use async.",
      ),
    );
    return;
  }
  process.on("message", (request) => invoke(handler, request));
  send({ type: "ready" });
}, fatal);
