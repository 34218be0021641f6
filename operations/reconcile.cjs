// The door of `npm run reconcile`.
"use strict";
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
require("tsx/cjs");
require("node:module").register("./namedExports.mjs", require("node:url").pathToFileURL(__filename));
require("./reconcile/main.ts").main(process.argv.slice(2));
