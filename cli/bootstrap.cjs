// The entry point of every command: plain JavaScript that every version of Node can read, so that a version that is too
// old ends with a sentence and not with a syntax error.
"use strict";

const oldest = 20;

/**
 * Runs a command's `main` with the arguments of the command line.
 *
 * @param {NodeJS.Require} load the `require` of the command's own `.cjs` file
 * @param {string} module the TypeScript module with `main(args)`
 */
module.exports = function open(load, module) {
  const running = Number(process.versions.node.split(".")[0]);
  if (running < oldest) {
    console.error(
      `Node ${process.versions.node} is too old: this project needs Node ${oldest}, 22 or 24. See https://nodejs.org/.`,
    );
    process.exit(1);
  }
  try {
    load.resolve("tsx/cjs");
  } catch {
    console.error("The packages are not installed: run `npm ci` first.");
    process.exit(1);
  }
  // The SDK prints at every start which version of Node it will require next year; `engines` in package.json is enough.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
  load("tsx/cjs");
  load(module).main(process.argv.slice(2));
};
