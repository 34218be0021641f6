// The door of `npm run invoke`.
"use strict";
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
require("tsx/cjs");
require("./invoke.ts").main(process.argv.slice(2));
