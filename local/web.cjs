// The door of `npm run web`.
"use strict";
require("tsx/cjs");
require("./web/command.ts").main(process.argv.slice(2));
